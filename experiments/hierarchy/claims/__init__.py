"""Claims on hierarchy: deep linear networks, hierarchical labels."""
