"""Figures by matplotlib: png, svg and pdf."""
