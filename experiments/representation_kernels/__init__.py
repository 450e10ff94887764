"""Representation kernels: the kernel that contrastive learning finds, for any sufficiently wide encoder."""
