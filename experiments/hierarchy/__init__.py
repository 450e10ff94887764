"""Hierarchy: trees learned by deep linear networks, and by free features with hierarchical labels."""
