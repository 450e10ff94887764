"""The names of the normalisations in :mod:`simlab.normalisation`, for specifications that are checked without JAX."""

NORMALISATIONS = ("none", "layer", "layer-affine", "rms", "rms-affine", "batch")
