"""Names of normalisations and networks, for specifications that are checked without JAX."""

NORMALISATIONS = ("none", "layer", "layer-affine", "rms", "rms-affine", "batch")
