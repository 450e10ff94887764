"""Functions of plain arrays that measure a learned representation."""
