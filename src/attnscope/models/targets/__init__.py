"""What is explained: a target resolved to positions and ids, and its value read off the model."""
