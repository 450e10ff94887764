"""Figures of hierarchy: modes over time and depth, and the geometry of a tree of classes."""
