"""Free class vectors: contrastive learning where no encoder stands in its way."""
