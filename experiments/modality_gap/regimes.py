"""The modality gap (Liang et al., 2022): starts, a learnable temperature, and the gap of random towers."""

from experiments.core.experiment import Experiment, Regime
from experiments.modality_gap.configuration import ModalityConfiguration
from experiments.modality_gap.phenomenon import MODALITY_GAP

# Above the threshold, 4.6, and above 7.05, where retrieval from both modalities fails on the branch.
FIXED = ModalityConfiguration(inverse_temperature=10.0, n_steps=6000, n_records=200)
TOWERS = FIXED.replace(encoder="towers", optimizer="adam", learning_rate=3e-3, n_steps=1000, n_records=100)
# Gradient flow conserves the product; gradient descent changes it at first order in the step.
LEARNABLE = FIXED.replace(temperature_rate=1.0, inverse_temperature=2.0, initial_gap=1.2, learning_rate=0.02)
REGIMES = (
    Regime(name="symmetric", summary="free embeddings above the threshold, from the symmetric start", quick=FIXED),
    Regime(name="cones", summary="the same from two random cones", quick=FIXED.replace(start="cones")),
    Regime(
        name="towers",
        summary="two MLPs on inputs of different dimension",
        quick=TOWERS,
        paper=TOWERS.replace(hidden_width=256, n_steps=4000),
    ),
    Regime(name="learnable", summary="a learnable temperature: gap times beta is conserved", quick=LEARNABLE),
    Regime(
        name="learnable-slow",
        summary="temperature rate halved: gap times beta^2 is conserved",
        quick=LEARNABLE.replace(temperature_rate=0.5),
    ),
    Regime(
        name="learnable-falling",
        summary="from a large beta: it falls and the gap grows",
        quick=LEARNABLE.replace(inverse_temperature=8.0, initial_gap=0.5),
    ),
    Regime(
        name="learnable-clipped", summary="beta clipped below its end point", quick=LEARNABLE.replace(clip_ratio=1.5)
    ),
    Regime(
        name="learnable-matched",
        summary="without mismatch: beta grows without bound",
        quick=LEARNABLE.replace(mismatch=0.0),
    ),
)


def derive(dataset, plan):
    """Add the variables of each cell, and the gap of random towers by depth, measured and predicted."""
    from experiments.modality_gap import derived, random_towers

    return random_towers.measure_depths(derived.derive(dataset, plan), plan.seeds)


EXPERIMENT = Experiment(
    name="modality-gap",
    summary="why images and texts stay apart: a threshold, a conserved product, random towers",
    regimes=REGIMES,
    quick_time="20 s",
    paper_time="40 s",
    phenomenon=MODALITY_GAP,
    seeds={"quick": 3, "paper": 5},
    derive=derive,
    figures=(
        "modality_gap.conservation",
        "modality_gap.modality_clouds",
        "modality_gap.initial_gap",
        "modality_gap.centring",
    ),
    talk=("modality_gap.modality_clouds", "Why do images and texts stay apart?"),
)
