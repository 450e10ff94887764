"""Deep networks on sentences: the degree of collapse of each layer."""
