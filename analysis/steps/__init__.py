"""The enrichment steps, one opinion each."""
