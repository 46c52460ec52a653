"""Self-contained offline pages: one file per type of result."""
