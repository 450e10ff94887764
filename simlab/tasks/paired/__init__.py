"""Tasks whose examples are positive pairs; see :mod:`simlab.tasks.pairs`."""
