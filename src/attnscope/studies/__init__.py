"""Studies, which need many explanations: of two texts, by several methods, of a set of texts."""
