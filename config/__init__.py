"""What the operator decides: settings, their defaults, and the log."""
