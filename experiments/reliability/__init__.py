"""Sweeps that are repeatedly killed and resumed, compared with an undisturbed sweep."""
