"""Claims of the theory of the modality gap, checked numerically."""
