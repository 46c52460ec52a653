"""Which sources an answer relied on, and the weights of heads that say so."""
