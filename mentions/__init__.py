"""What was said: mentions, opinions of them, and the places both are kept."""
