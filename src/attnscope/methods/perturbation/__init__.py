"""Methods that take words away and look at the target: one method, one file."""
