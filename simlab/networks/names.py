"""Names of normalisations and networks, for specifications that are checked without JAX."""

NORMALISATIONS = ("none", "layer", "layer-affine", "rms", "rms-affine", "batch")
DEEP_NETWORKS = ("two-layer", "mlp", "transformer-pre", "transformer-post", "mixer")

# Width of the hidden layer of a feed-forward network over that of its inputs, as in the transformer and mixer papers.
EXPANSION = 4
