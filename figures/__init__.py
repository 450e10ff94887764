"""Figures: a saved dataset in, a matplotlib figure out.

Every module that is a figure has one function ``draw(dataset) -> matplotlib.figure.Figure``. A figure shows what the
dataset holds and computes nothing but what its axes need; it never trains and never predicts.
"""

import json
from importlib import import_module

RUN_FIGURES = (
    "feature_collapse.overview",
    "feature_collapse.principal_components",
    "feature_collapse.norm_against_frequency",
    "feature_collapse.training_curves",
    "feature_collapse.singular_values",
    "feature_collapse.certified_risk",
)
CLASS_FIGURES = ("neural_collapse.class_means", "neural_collapse.collapse_curves")
SWEEP_FIGURES = ("sweeps.sweep",)
VERIFICATION_FIGURES = ("claims",)
BENCH_FIGURES = ("benchmarks",)

# Figures of a run in which no axis varies, by its phenomenon; a sweep has the same ones whatever the phenomenon.
FIGURES_OF_PHENOMENON = {
    "feature-collapse": RUN_FIGURES,
    "neural-collapse": CLASS_FIGURES,
    "layer-collapse": ("layer_collapse.deep_networks",),
}
# What a single experiment has beside these, by its name.
FIGURES_OF_EXPERIMENT: dict[str, tuple[str, ...]] = {
    "certified-descent": ("feature_collapse.certified_descent",),
    "deep-networks": ("layer_collapse.deep_networks",),
    "normalisations": ("feature_collapse.normalisations",),
    "escape": ("feature_collapse.escape",),
    "formula-reach": ("feature_collapse.formula_reach",),
    "noise": ("feature_collapse.noise",),
    "no-weight-decay": ("feature_collapse.no_weight_decay",),
    "tail-or-sample": ("feature_collapse.tail_or_sample", "feature_collapse.eight_panels"),
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


def file_name(name: str) -> str:
    """Return the name of a figure's files: that of its module, unless the module has one of its own."""
    return getattr(import_module(f"figures.{name}"), "FILE_NAME", name.rpartition(".")[2])


def draw(name: str, dataset):
    """Return the figure called ``name``, drawn from an ``xarray.Dataset``."""
    return import_module(f"figures.{name}").draw(dataset)
