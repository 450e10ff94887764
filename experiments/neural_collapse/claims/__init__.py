"""Claims of the theory of unconstrained features, checked numerically."""
