"""Pages of effects: what knock-outs change."""
