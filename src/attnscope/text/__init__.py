"""Pure text: words, segments and the alignment of two word sequences. No model, no numbers."""
