"""Encoders of contrastive learning and of sentences: Flax NNX modules that map examples to embeddings."""
