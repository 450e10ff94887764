"""Sweeps that are killed again and again, compared with one that runs undisturbed."""
