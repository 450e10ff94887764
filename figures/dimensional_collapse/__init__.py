"""Figures of dimensional collapse."""
