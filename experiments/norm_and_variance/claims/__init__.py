"""Claims on norm and variance, for ``simlab verify norm-and-variance``."""
