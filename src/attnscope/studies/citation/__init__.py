"""Which sources an answer relied on: by leaving them out, by a surrogate, by the heads' attention."""
