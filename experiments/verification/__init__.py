"""The theorems' claims, each checked numerically: ``simlab verify``."""
