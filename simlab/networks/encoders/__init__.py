"""Encoders for contrastive learning and for sentences: Flax NNX modules that map examples to embeddings."""
