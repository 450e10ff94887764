"""Numerical checks of the claims of the theory of unconstrained features."""
