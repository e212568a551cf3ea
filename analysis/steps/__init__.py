"""The steps of the judgement, one opinion each."""
