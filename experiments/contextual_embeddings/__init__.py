"""Contextual embeddings: contrastive learning of sentences, compared with the minimum of its loss."""
