"""The relative error of a float32 variance, for five ways to compute it."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.core.configuration import TASK, Configuration, option
from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.core.prediction import Prediction
from experiments.core.quantity import Quantity
from simlab.validation import check_count, check_real

if TYPE_CHECKING:
    from experiments.core.standard_comparison import Measured

ROUNDING = 2.0**-24  # largest relative rounding error of a float32 number


@dataclass(frozen=True, kw_only=True)
class PrecisionConfiguration(Configuration):
    """The options: normal vectors about a mean, in float32."""

    unused: ClassVar[tuple[str, ...]] = tuple(field.name for field in fields(Configuration))

    mean_ratio: float = option(1e6, "M/V, the squared norm of the mean over the variance", group=TASK, label="M/V")
    n_vectors: int = option(16384, "number of vectors", group=TASK)
    dim: int = option(32, "dimension of the vectors", group=TASK)
    n_batch: int = option(256, "vectors per batch", group=TASK)


QUANTITIES = {
    "compensated": Quantity(label="compensated Chan's rule: relative error of V", headline="learned"),
    "plain": Quantity(label="plain Chan's rule", headline="learned"),
    "two_passes": Quantity(label="two passes", headline="learned"),
    "difference": Quantity(label="Q - M from running means", headline="compared"),
    "squares": Quantity(label="sums of squares"),
}


def check(choices: PrecisionConfiguration) -> None:
    """Raise ``ValueError`` for a size or ratio out of range."""
    check_real("mean_ratio", choices.mean_ratio, positive=True)
    for name in ("n_vectors", "dim", "n_batch"):
        check_count(name, getattr(choices, name), 2)


def predict(choices: PrecisionConfiguration) -> Prediction:
    """Return the largest error of ``Q - M`` from rounding Q alone, half a unit in its last place."""
    quantities = dict.fromkeys(QUANTITIES, np.nan) | {"difference": ROUNDING * (1 + choices.mean_ratio)}
    return Prediction(
        basis="approximation", quantities=quantities, kind="rounding of Q", note="order of magnitude of one rounding"
    )


def measure(member, run, prediction) -> "Measured":
    """Return the relative errors of V on the same vectors."""
    from experiments.core.standard_comparison import Measured
    from experiments.norm_and_variance import variance_formulas as formulas

    choices, rng = member.subject, np.random.default_rng(member.seed)
    direction = rng.choice([-1.0, 1.0], size=choices.dim) / np.sqrt(choices.dim)
    noise = rng.normal(size=(choices.n_vectors, choices.dim)) / np.sqrt(choices.dim)
    vectors = (noise + np.sqrt(choices.mean_ratio) * direction).astype(np.float32)
    wanted = formulas.reference_variance(vectors)
    algorithms = {
        "compensated": formulas.compensated_merge,
        "plain": formulas.plain_merge,
        "two_passes": formulas.two_passes,
        "difference": formulas.difference_of_means,
        "squares": formulas.sums_of_squares,
    }
    return Measured(
        quantities={name: abs(compute(vectors, choices.n_batch) / wanted - 1) for name, compute in algorithms.items()}
    )


def _load_comparison():
    from experiments.core.standard_comparison import standard_comparison

    return standard_comparison(quantities=QUANTITIES, measure=measure)


MOMENTS_PRECISION = Phenomenon(
    name="moments-precision",
    part_of="norm-and-variance",
    configuration=PrecisionConfiguration,
    check_theory=check,
    predict=predict,
    load_comparison=_load_comparison,
)

EXPERIMENT = Experiment(
    name="moments-precision",
    summary="relative error of a float32 variance, for five one-pass and two-pass algorithms",
    regimes=(Regime(name="normal", summary="normal vectors about a mean", quick=PrecisionConfiguration()),),
    quick_time="10 s",
    paper_time="30 s",
    phenomenon=MOMENTS_PRECISION,
    vary={name: {"mean_ratio": tuple(10.0**k for k in range(9))} for name in ("quick", "paper")},
    seeds={"quick": 3, "paper": 10},
    figures=("norm_and_variance.moments_precision",),
)
