"""Documents without a picture: JSON, CSV, LaTeX, Markdown, the terminal."""
