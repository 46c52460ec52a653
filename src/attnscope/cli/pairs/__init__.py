"""Commands about two texts, or many pairs of them."""
