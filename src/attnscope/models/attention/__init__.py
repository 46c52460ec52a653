"""Attention as it happens inside a running model: captured row by row, never layers × heads × n × n."""
