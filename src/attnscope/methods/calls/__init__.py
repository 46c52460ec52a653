"""What a call has around the text: many texts at once, and advice."""
