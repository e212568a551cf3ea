"""Boards: which software they run, how their pages are read, and what is remembered of their topics."""
