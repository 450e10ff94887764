"""Figures of feature contamination."""
