"""Figures of superposition and of adversarial gain."""
