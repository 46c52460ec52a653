"""Methods that take the gradient of a target: one method, one file."""
