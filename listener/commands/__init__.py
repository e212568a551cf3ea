"""The commands, one file each; a trailing underscore keeps `import` and others clear of Python's own words."""
