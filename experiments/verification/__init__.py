"""Numerical checks of the claims of the theorems: ``simlab verify``."""
