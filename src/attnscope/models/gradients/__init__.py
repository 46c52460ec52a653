"""Gradients of a target: at the input embeddings, along a path, at the attention of every layer."""
