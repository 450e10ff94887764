"""Claims of the theory of superposition, checked numerically."""
