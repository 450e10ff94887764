"""Results on disk, and the parts of a sweep with their manifest."""
