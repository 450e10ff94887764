"""Code shared by figures: style, scales chosen from the data, means over seeds, clouds of vectors, curves."""

from figures import load_matplotlib

load_matplotlib()
