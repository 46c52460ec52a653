"""Commands about this machine: what is on it, and what is missing."""
