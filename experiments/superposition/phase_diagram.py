"""The phase diagram of two features in one dimension: which of them are represented (Elhage et al., 2022)."""

import numpy as np

from experiments.core.experiment import Experiment, Plan, Regime
from experiments.superposition.configuration import PHASE_AXES, FeatureConfiguration
from experiments.superposition.phenomenon import SUPERPOSITION
from simlab.validation import invalid

QUICK = FeatureConfiguration(n_features=2, n_hidden=1, n_steps=1000, n_records=10)


def make_grid(size: int) -> dict[str, list[float]]:
    """Return both axes with geometric spacing: p from 1 to 0.01 and r from 0.1 to 10."""
    return {
        "active_probability": np.geomspace(1, 0.01, size).tolist(),
        "importance_ratio": np.geomspace(0.1, 10, size).tolist(),
    }


def check(plan: Plan) -> None:
    """Raise ``ValueError`` unless both axes have at least two values, for two features in one dimension."""
    sizes = {axis.name: len(axis.values) for axis in plan.axes}
    for name in PHASE_AXES:
        if sizes.get(name, 1) < 2:
            raise invalid(f"vary {name}", "at least two values: it is an axis of the phase diagram", 1)
    for name in sizes:
        if name not in PHASE_AXES:
            raise invalid("vary", f"no axis besides {' and '.join(PHASE_AXES)}", name)
    for cell in plan.cells:
        for name, value in (("n_features", 2), ("n_hidden", 1), ("nonlinearity", "relu")):
            if getattr(cell.configuration, name) != value:
                raise invalid(name, f"{value} in a phase diagram", getattr(cell.configuration, name))


def derive(dataset, plan):
    """Add the learned and predicted phases, and the boundaries."""
    from experiments.superposition import phase_diagram_derived

    return phase_diagram_derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="phase-diagram",
    summary="two features in one dimension: ignored, one alone, or in superposition, by p and importance",
    regimes=(
        Regime(
            name="two-in-one",
            summary="2 features, 1 dimension",
            quick=QUICK,
            paper=QUICK.replace(n_steps=1500),
        ),
    ),
    quick_time="40 s",
    paper_time="30 s (1 seed)",
    phenomenon=SUPERPOSITION,
    vary={"quick": make_grid(20), "paper": make_grid(40)},
    seeds={"quick": 4, "paper": 4},
    derive=derive,
    check=check,
    figures=("superposition.phase_map",),
    talk=("superposition.phase_map", "When do two features share a dimension?"),
)
