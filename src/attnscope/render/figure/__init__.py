"""Figures drawn with matplotlib: png, svg and pdf."""
