"""Figures: a saved dataset in, a matplotlib figure out.

Every module has one function ``draw(dataset) -> matplotlib.figure.Figure``. A figure shows what the dataset holds and
computes nothing but what its axes need; it never trains and never predicts.
"""

import json
from importlib import import_module

RUN_FIGURES = (
    "overview",
    "principal_components",
    "norm_against_frequency",
    "training_curves",
    "singular_values",
    "certified_risk",
)
SWEEP_FIGURES = ("sweep",)
VERIFICATION_FIGURES = ("verified_claims",)
BENCH_FIGURES = ("scaling",)


def figures_of(dataset) -> tuple[str, ...]:
    """Return the names of the figures that a saved dataset has."""
    if dataset.attrs.get("experiment") == "verify":
        return VERIFICATION_FIGURES
    if dataset.attrs.get("experiment") == "bench":
        return BENCH_FIGURES if "scaling" in dataset.benchmark.values else ()
    return SWEEP_FIGURES if json.loads(dataset.attrs.get("axes", "[]")) else RUN_FIGURES


def draw(name: str, dataset):
    """Return the figure called ``name``, drawn from an ``xarray.Dataset``."""
    return import_module(f"figures.{name}").draw(dataset)
