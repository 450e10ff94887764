"""Dimensional collapse: linear encoders of contrastive learning, held against the directions that survive."""
