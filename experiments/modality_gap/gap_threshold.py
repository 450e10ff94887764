"""The gap across the threshold of the inverse temperature, for several numbers of pairs, mismatch rates and starts.

Theory describes minimisers. Free vectors reach them. Towers trained for long do not keep their gap closed below the
threshold.
"""

from experiments.core.experiment import Experiment, Plan, Regime
from experiments.modality_gap.configuration import ModalityConfiguration
from experiments.modality_gap.phenomenon import MODALITY_GAP
from experiments.modality_gap.regimes import TOWERS
from simlab.validation import invalid

SYMMETRIC = ModalityConfiguration(temperature_ratio=2.0, n_steps=2000, n_records=10)
# Near the threshold the gap of free vectors closes slowly, so ratios are at least 5 % away from it.
RATIOS = (0.5, 0.8, 0.95, 1.05, 1.25, 1.5, 2.0, 4.0)
MISMATCHES = (0.05, 0.1, 0.2)


def check(plan: Plan) -> None:
    """Raise ``ValueError`` unless beta is fixed in units of the threshold, the variable of the sweep."""
    for cell in plan.cells:
        if cell.configuration.temperature_ratio is None:
            raise invalid("temperature_ratio", "a number: it is the variable of the sweep", None)
        if cell.configuration.is_learnable:
            raise invalid("temperature_rate", "0: the threshold is for a fixed inverse temperature",
                          cell.configuration.temperature_rate)  # fmt: skip


def derive(dataset, plan: Plan):
    """Add the variables of each cell, and the branch."""
    from experiments.modality_gap import derived

    return derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="gap-threshold",
    summary="the gap against inverse temperature in units of its threshold: one pitchfork",
    regimes=(
        *(
            Regime(
                name=f"symmetric-{n_pairs}",
                summary=f"{n_pairs} pairs from the symmetric start",
                quick=SYMMETRIC.replace(n_pairs=n_pairs),
            )
            for n_pairs in (2, 4, 16)
        ),
        Regime(name="cones", summary="16 pairs from random cones", quick=SYMMETRIC.replace(start="cones")),
        Regime(
            name="wide-cones",
            summary="16 pairs from wide random cones with a smaller gap",
            quick=SYMMETRIC.replace(start="cones", cone_spread=3.0),
        ),
        Regime(
            name="towers",
            summary="16 pairs, two MLPs",
            quick=TOWERS.replace(temperature_ratio=2.0, n_records=10),
            paper=TOWERS.replace(temperature_ratio=2.0, n_records=10, hidden_width=256, n_steps=4000),
        ),
    ),
    quick_time="20 s",
    paper_time="11 min",
    phenomenon=MODALITY_GAP,
    vary={preset: {"temperature_ratio": RATIOS, "mismatch": MISMATCHES} for preset in ("quick", "paper")},
    seeds={"quick": 1, "paper": 4},
    derive=derive,
    check=check,
    figures=("modality_gap.pitchfork", "modality_gap.retrieval"),
    talk=("modality_gap.pitchfork", "When does the gap between images and texts close?"),
)
