"""A training run as pure functions: its specification, its steps, its records."""
