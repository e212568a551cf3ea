"""One file per page; each only draws."""
