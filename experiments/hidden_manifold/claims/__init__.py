"""Claims of the theory of hidden manifolds, checked numerically."""
