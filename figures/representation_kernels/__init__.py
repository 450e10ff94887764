"""Figures of representation kernels."""
