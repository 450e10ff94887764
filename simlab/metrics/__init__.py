"""Measures of a learned representation, functions of plain arrays."""
