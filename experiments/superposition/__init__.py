"""Superposition: autoencoders of sparse features, and what the directions that they share cost."""
