"""What needs many explanations: two texts, several methods, a set of texts."""
