"""Claims of the theory of feature collapse, checked numerically."""
