"""Claims of feature contamination, each against samples or an independent integration."""
