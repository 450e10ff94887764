"""The encoder of sentences of contextual embeddings; the phenomenon looks at other quantities of it."""

from experiments.benchmarks.peers.contextual_embeddings import make

__all__ = ["make"]
