"""Results, parts of sweeps and their manifest on disk."""
