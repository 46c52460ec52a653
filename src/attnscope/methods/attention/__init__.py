"""Methods that follow attention from a query: one method, one file."""
