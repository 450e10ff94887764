"""Minimisation of exact risks in float64."""
