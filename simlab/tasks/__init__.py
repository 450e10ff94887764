"""Learning tasks: frozen specifications, and draws of their examples."""
