"""Claims on hierarchy: deep linear networks and hierarchical labels."""
