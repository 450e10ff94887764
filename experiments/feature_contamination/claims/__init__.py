"""Claims of feature contamination, each against samples or integration of another kind."""
