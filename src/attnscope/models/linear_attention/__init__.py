"""Linear attention, unrolled: the token × token matrices of layers that keep a state instead of attention weights."""
