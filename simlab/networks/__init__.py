"""Networks as Flax NNX modules, and the frozen specifications that build them."""
