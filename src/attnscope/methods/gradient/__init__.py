"""Methods that take the gradient of a target, one file per method."""
