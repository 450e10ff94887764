"""Neural collapse: classification with free features."""
