"""Neural collapse: classes of samples whose features are free."""
