"""Figures of neural collapse: samples of classes."""
