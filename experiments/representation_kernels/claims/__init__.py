"""Claims of the theory of representation kernels, checked numerically."""
