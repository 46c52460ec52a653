"""From a text to what a model reads, and from its tokens back to the characters of the text."""
