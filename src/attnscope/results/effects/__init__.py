"""What becomes of a target when parts of a model or of its input are taken away."""
