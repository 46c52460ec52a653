"""What each attention head does, over many texts and on probes whose answer is known."""
