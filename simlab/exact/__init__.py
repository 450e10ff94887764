"""Minimisers of the exact risk in float64."""
