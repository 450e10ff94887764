"""Figures of collapse by layer: deep networks on sentences."""
