"""Self-contained offline pages: one result, one file."""
