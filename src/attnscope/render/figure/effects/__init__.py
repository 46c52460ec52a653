"""Figures of effects: what knock-outs change."""
