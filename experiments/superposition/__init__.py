"""Superposition: autoencoders of sparse features, and the cost of sharing directions."""
