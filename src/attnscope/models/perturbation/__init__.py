"""A target's value on a changed text, or on a model with changed weights."""
