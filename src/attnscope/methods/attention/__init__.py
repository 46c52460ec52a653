"""Methods that read attention from a query, one file per method."""
