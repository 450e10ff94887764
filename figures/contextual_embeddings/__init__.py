"""Figures of contextual embeddings."""
