"""What the daemon tells about its model, in a note in the state that the pages read."""

MODEL_NOTE = "by_words"  # what word lists judge, since the shipped model cannot be used; "" where it can
