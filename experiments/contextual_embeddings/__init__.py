"""Contextual embeddings: contrastive learning of sentences, held against where it must end."""
