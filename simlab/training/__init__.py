"""Training runs as pure functions: specification, steps and records."""
