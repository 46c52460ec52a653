"""What answers at once: of a text that somebody plays with, what saves running it again is kept."""
