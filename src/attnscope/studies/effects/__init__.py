"""What becomes of a target when heads, edges, layers or words are taken away."""
