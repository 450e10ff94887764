"""Experiments: a specification, a sweep, a prediction, a comparison, a labelled dataset. And the command line."""
