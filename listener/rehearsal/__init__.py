"""The exercise's side of the wire: a loopback server that publishes posts as they fall due."""
