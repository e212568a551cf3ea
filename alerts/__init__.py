"""From what holds now to a person who knows it."""
