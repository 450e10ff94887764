"""Figures of hidden manifolds."""
