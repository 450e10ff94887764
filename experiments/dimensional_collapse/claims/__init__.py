"""Claims of the theory of dimensional collapse, checked numerically."""
