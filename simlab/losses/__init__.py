"""The protocol of an objective, and the objectives."""
