"""Norm of the mean and variance of contextual embeddings: theory, small networks and a real encoder."""
