"""Toy models of superposition (Elhage et al., 2022), varying the probability that a feature is active."""

from experiments.core.experiment import Experiment, Regime
from experiments.superposition.configuration import FeatureConfiguration
from experiments.superposition.phenomenon import SUPERPOSITION

QUICK = FeatureConfiguration()
PAPER = QUICK.replace(n_steps=4000, batch_size=256)
# Masks are sampled for many features.
MANY = QUICK.replace(n_features=30, n_hidden=20, batch_size=256)
MANY_PAPER = MANY.replace(batch_size=512, n_steps=8000)

REGIMES = (
    Regime(
        name="two-features",
        summary="2 features, 1 dimension: exact loss",
        quick=QUICK.replace(n_features=2, n_hidden=1),
        paper=PAPER.replace(n_features=2, n_hidden=1),
    ),
    Regime(
        name="three-in-two",
        summary="a triangle, or a pair and a dedicated feature",
        quick=QUICK.replace(n_features=3),
        paper=PAPER.replace(n_features=3),
    ),
    Regime(
        name="five-in-two",
        summary="pairs, then a pentagon as features become rare",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="six-in-three",
        summary="triangles or pairs",
        quick=QUICK.replace(n_features=6, n_hidden=3, batch_size=64),
        paper=PAPER.replace(n_features=6, n_hidden=3),
    ),
    Regime(
        name="thirty-in-twenty",
        summary="pairs and dedicated features",
        quick=MANY,
        paper=MANY_PAPER,
    ),
    Regime(
        name="sixty-in-twenty",
        summary="more than two features per dimension: no prediction where they are rare",
        quick=MANY.replace(n_features=60),
        paper=MANY_PAPER.replace(n_features=60),
    ),
    Regime(
        name="linear",
        summary="control without ReLU: no superposition",
        quick=QUICK.replace(nonlinearity="linear", importance_ratio=0.8),
        paper=PAPER.replace(nonlinearity="linear", importance_ratio=0.8),
    ),
)


def derive(dataset, plan):
    """Add the loss of the best restart over the predicted loss, and a note where it is outside the band."""
    from experiments.superposition.loss_band import add_band

    return add_band(dataset)


EXPERIMENT = Experiment(
    name="superposition",
    summary="features share dimensions as they become rare: pairs, triangles, pentagons",
    regimes=REGIMES,
    quick_time="70 s",
    paper_time="2 min (1 seed)",
    phenomenon=SUPERPOSITION,
    vary={
        "quick": {"active_probability": [0.5, 0.3, 0.2, 0.1, 0.05, 0.03]},
        "paper": {"active_probability": [0.9, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01]},
    },
    seeds={"quick": 12, "paper": 16},
    derive=derive,
    figures=("superposition.polygons", "superposition.dimensionality"),
    talk=("superposition.dimensionality", "How do rare features share dimensions?"),
)
