"""Free class vectors: contrastive learning without an encoder."""
