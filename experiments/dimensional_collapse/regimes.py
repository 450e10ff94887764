"""Dimensional collapse in a linear encoder (Jing et al., 2021): which directions survive the augmentation."""

from experiments.core.experiment import Experiment, Regime
from experiments.dimensional_collapse.configuration import PairConfiguration
from experiments.dimensional_collapse.phenomenon import DIMENSIONAL_COLLAPSE

EXPECTED = PairConfiguration(
    output_dim=16, augmentation_ratios=(0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.2, 2.5, 3.0)
)
SAMPLED = PairConfiguration(
    n_inputs=8,
    output_dim=8,
    augmentation_ratios=(0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.2, 2.5),
    negatives="batch",
    optimizer="sgd",
    schedule="cosine",
    learning_rate=0.3,
    n_steps=1500,
    dtype="float32",
)
# If aligned, the level of a direction is t = (2 q + lam)/(s + q): from 1.53 to 2.38 with lam = 1.2.
TWO_VIEWS = SAMPLED.replace(
    views=2,
    aligned=True,
    variances=(0.4, 0.5, 0.55, 0.8, 1.0, 1.2, 1.4, 2.0),
    weight_decay=1.2,
    learning_rate=0.15,
)
# No augmentation noise in half of the directions, noise of standard deviation 1.5 in the others.
TOY = PairConfiguration(
    n_inputs=16,
    output_dim=16,
    variances=(1.0,) * 16,
    augmentation_ratios=(0.0,) * 8 + (2.25,) * 8,
    aligned=True,
    views=2,
    similarity="dot",
    temperature=0.1,
    negatives="batch",
    batch_size=128,
    optimizer="sgd",
    learning_rate=1e-3,
    initial_scale=1.0,
    n_steps=6000,
    dtype="float32",
)

REGIMES = (
    Regime(
        name="population",
        summary="non-commuting S and Q, infinitely many negatives",
        quick=EXPECTED,
    ),
    Regime(
        name="few-dimensions",
        summary="the same with 5 embedding dimensions for 12 directions",
        quick=EXPECTED.replace(output_dim=5),
    ),
    Regime(
        name="sampled",
        summary="in-batch negatives",
        quick=SAMPLED,
        paper=SAMPLED.replace(batch_size=512, n_steps=3000),
    ),
    Regime(
        name="two-views",
        summary="both views of a pair augmented, with weight decay",
        quick=TWO_VIEWS,
        paper=TWO_VIEWS.replace(batch_size=512, n_steps=3000),
    ),
    Regime(
        name="spectral",
        summary="the spectral loss on 60 pairs, full batch",
        quick=PairConfiguration(
            n_inputs=30,
            output_dim=40,
            augmentation_ratios=(4.0,) * 30,
            views=2,
            n_pairs=60,
            similarity="spectral",
        ),
    ),
    Regime(
        name="directclr-toy",
        summary="dot product: augmented directions shrink but do not collapse",
        quick=TOY,
        paper=TOY.replace(n_steps=20000),
    ),
)


def derive(dataset, plan):
    """Add the eigenvalues corrected for the batch, and the curve f(t)."""
    from experiments.dimensional_collapse import derived

    return derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="dimensional-collapse",
    summary="which input directions a linear contrastive encoder keeps",
    regimes=REGIMES,
    quick_time="40 s",
    paper_time="2 min (1 seed)",
    phenomenon=DIMENSIONAL_COLLAPSE,
    seeds={"quick": 3, "paper": 5},
    derive=derive,
)
