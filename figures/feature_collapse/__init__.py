"""Figures of feature collapse: words in sentences."""
