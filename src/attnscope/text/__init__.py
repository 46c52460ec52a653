"""Pure text: words, segments and the alignment of two texts. No model, no scores."""
