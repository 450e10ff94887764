"""Feature contamination: two-layer networks learn background features and lose accuracy out of distribution."""
