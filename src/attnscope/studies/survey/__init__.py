"""A whole corpus: reading it, cutting it into parts, explaining a part, writing it; in this process or on a cluster."""
