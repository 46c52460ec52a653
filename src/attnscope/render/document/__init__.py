"""Documents without a picture: JSON, CSV, LaTeX, the terminal."""
