"""Does SGD find the global minimum? The certified distance from it, over initial scales and batch sizes.

The four regimes of *Feature Collapse* on smaller tasks, with each member certified on its own training set. Members on
the same training set share the best lower bound proved by any of them or by L-BFGS on the same sentences.
"""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE
from experiments.feature_collapse.regimes import LARGE_SAMPLE, REGIMES

FEW, MANY = 5, {"quick": 50, "paper": 40}


def _shrink(regime: Regime) -> Regime:
    """Return a regime with small tasks, for many members; every record covers the whole training set."""
    large = regime.name == LARGE_SAMPLE.name
    start = regime.quick
    if not isinstance(start, WordConfiguration):
        raise TypeError(f"regime: expected one of sentences, got {type(start).__name__}")
    quick, paper = (_set_steps(start, MANY[preset] if large else FEW, preset) for preset in ("quick", "paper"))
    return regime._replace(quick=quick, paper=paper)


def _set_steps(configuration: WordConfiguration, per_class: int, preset: str) -> WordConfiguration:
    """Return a configuration with the sizes of a preset."""
    if preset == "quick":
        sizes = {
            "n_words": 120,
            "n_classes": 40,
            "sentence_length": 6,
            "embedding_dim": 12,
            "n_steps": 5000,
            "n_records": 25,
        }
        configuration = configuration.replace(weight_decay=4e-3)
    else:
        sizes = {"n_steps": 8000, "n_records": 60}
    n_classes = sizes.get("n_classes", configuration.n_classes)
    return configuration.replace(per_class=per_class, n_evaluation=per_class * n_classes, **sizes)


def derive(dataset, plan):
    """Add the result of L-BFGS on the same sentences, and the excess of every member over the best lower bound."""
    from experiments.feature_collapse.questions import certified_descent_derived as descent

    return descent.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="certified-descent",
    summary="does SGD find the global minimum? certified, over initial scales and batch sizes",
    regimes=tuple(map(_shrink, REGIMES)),
    quick_time="100 s",
    paper_time="11 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    vary={
        "quick": {"initial_scale": [1e-3, 1e-2, 0.1, 1.0], "batch_size": [5, 50]},
        "paper": {"initial_scale": [1e-4, 1e-2, 0.1, 1.0], "batch_size": [30, 100, 300]},
    },
    seeds={"quick": 3, "paper": 3},
    derive=derive,
    figures=("feature_collapse.certified_descent",),
    talk=("feature_collapse.certified_descent", "Does SGD find the global minimum?"),
)
