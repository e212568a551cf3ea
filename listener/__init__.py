"""The daemon and the command line: the one place that wires everything together."""
