"""Dimensional collapse: linear contrastive encoders against the directions predicted to survive."""
