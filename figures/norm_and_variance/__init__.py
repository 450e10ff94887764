"""Figures of norm and variance of contextual embeddings."""
