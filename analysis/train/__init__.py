"""Makes the shipped model anew from public data: `python -m analysis.train`. Needs `pip install "earshot[train]"`."""
