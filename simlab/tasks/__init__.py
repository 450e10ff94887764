"""What is learned: frozen specifications, and draws of their examples."""
