"""Feature contamination: two-layer networks that learn background features, and what that costs out of distribution."""
