"""Every experiment in turn, each in a folder of its own: in which order, what is done and what is left."""
