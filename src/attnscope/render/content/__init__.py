"""What a picture says, in words and numbers, whatever its format."""
