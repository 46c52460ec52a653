"""Taking away heads, edges and layers of a model that runs, and what the model says without them."""
