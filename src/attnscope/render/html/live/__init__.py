"""Pages whose results come while they are open."""
