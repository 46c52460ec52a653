"""Commands that take parts of a model or a text away."""
