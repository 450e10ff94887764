"""What figures share: one look, scales chosen by the numbers drawn, means over seeds, clouds of vectors, curves."""

from figures import load_matplotlib

load_matplotlib()
