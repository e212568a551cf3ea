"""Opinions of mentions, each with its reasons."""
