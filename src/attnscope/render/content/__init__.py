"""The words and numbers of a picture, whatever its format."""
