"""Representation kernels: which kernel contrastive learning finds, whatever the encoder."""
