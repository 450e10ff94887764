"""Figures: a saved dataset in, a matplotlib figure out.

Every module that is a figure has one function ``draw(dataset) -> matplotlib.figure.Figure``. A figure shows what the
dataset holds and computes nothing but what its axes need; it never trains and never predicts.
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
CLASS_FIGURES = ("class_means", "collapse_curves")
SWEEP_FIGURES = ("sweep",)
VERIFICATION_FIGURES = ("verified_claims",)
BENCH_FIGURES = ("scaling",)

# Figures of a run in which no axis varies, by its phenomenon; a sweep has the same ones whatever the phenomenon.
FIGURES_OF_PHENOMENON = {
    "feature-collapse": RUN_FIGURES,
    "neural-collapse": CLASS_FIGURES,
    "layer-collapse": ("deep_networks",),
}
# What a single experiment has beside these, by its name.
FIGURES_OF_EXPERIMENT: dict[str, tuple[str, ...]] = {
    "certified-descent": ("certified_descent",),
    "deep-networks": ("deep_networks",),
    "normalisations": ("normalisations",),
    "escape": ("escape",),
    "formula-reach": ("formula_reach",),
    "noise": ("noise",),
    "no-weight-decay": ("no_weight_decay",),
    "tail-or-sample": ("tail_or_sample", "eight_panels"),
}


def figures_of(dataset) -> tuple[str, ...]:
    """Return the names of the figures that a saved dataset has.

    Raises:
        ValueError: nobody has drawn its phenomenon yet.
    """
    experiment = dataset.attrs.get("experiment")
    if experiment == "verify":
        return VERIFICATION_FIGURES
    if experiment == "bench":
        return BENCH_FIGURES if "scaling" in dataset.benchmark.values else ()
    phenomenon = phenomenon_of(dataset)
    if phenomenon not in FIGURES_OF_PHENOMENON:
        raise ValueError(f"phenomenon: expected one of {', '.join(FIGURES_OF_PHENOMENON)}, got {phenomenon}")
    swept = json.loads(dataset.attrs.get("axes", "[]"))
    common = SWEEP_FIGURES if swept else FIGURES_OF_PHENOMENON[phenomenon]
    return tuple(dict.fromkeys(common + FIGURES_OF_EXPERIMENT.get(experiment, ())))  # each once


def phenomenon_of(dataset) -> str:
    """Return what a saved run is about; files from the time of a single phenomenon do not say it."""
    return dataset.attrs.get("phenomenon", "feature-collapse")


def draw(name: str, dataset):
    """Return the figure called ``name``, drawn from an ``xarray.Dataset``."""
    return import_module(f"figures.{name}").draw(dataset)
