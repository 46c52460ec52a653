"""What the files of results need: writing them whole, reading them checked, schema 1, weights in 8 bits."""
