"""Results over a whole corpus: a folder of tables, and what came out of them."""
