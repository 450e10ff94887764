"""Numerical checks of the claims of the theory of feature collapse."""
