"""Everything that touches torch models: the only place that imports transformers."""
