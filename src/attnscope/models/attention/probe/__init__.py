"""Finding out, on a few tokens, where a model's attention is and how it is read faithfully, or why it cannot be."""
