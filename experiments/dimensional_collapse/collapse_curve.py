"""One curve for all linear encoders: many input and augmentation covariances, with and without weight decay."""

from experiments.core.experiment import Experiment, Plan, Regime
from experiments.dimensional_collapse.configuration import PairConfiguration
from experiments.dimensional_collapse.phenomenon import DIMENSIONAL_COLLAPSE
from experiments.dimensional_collapse.regimes import derive
from simlab.validation import invalid

ONE_VIEW = PairConfiguration()
TWO_VIEWS = ONE_VIEW.replace(views=2, weight_decay=1.2)
SAMPLED = ONE_VIEW.replace(
    n_inputs=8,
    output_dim=8,
    largest_ratio=3.2,
    variance_spread=2.0,
    negatives="batch",
    optimizer="sgd",
    schedule="cosine",
    learning_rate=0.2,
    n_steps=1500,
    dtype="float32",
)


def check(plan: Plan) -> None:
    """Raise ``ValueError`` unless every cell uses the distance, to which the curve applies."""
    for cell in plan.cells:
        if cell.configuration.similarity != "distance":
            raise invalid("similarity", "distance, to which the curve applies", cell.configuration.similarity)


EXPERIMENT = Experiment(
    name="collapse-curve",
    summary="many covariances, augmentations and weight decays on one curve f(t), which is zero from t = 2",
    regimes=(
        Regime(name="one-view", summary="infinitely many negatives", quick=ONE_VIEW),
        Regime(
            name="one-view-decay",
            summary="the same with weight decay and another temperature",
            quick=ONE_VIEW.replace(weight_decay=0.4, temperature=0.5, largest_ratio=2.5),
        ),
        Regime(name="two-views", summary="both views of a pair augmented, with weight decay", quick=TWO_VIEWS),
        Regime(
            name="sampled",
            summary="in-batch negatives",
            quick=SAMPLED,
            paper=SAMPLED.replace(batch_size=512, n_steps=2000),
        ),
    ),
    quick_time="40 s",
    paper_time="2 min",
    phenomenon=DIMENSIONAL_COLLAPSE,
    vary={"quick": {"law_seed": list(range(5))}, "paper": {"law_seed": list(range(12))}},
    derive=derive,
    check=check,
    figures=("dimensional_collapse.collapse_curve",),
    talk=("dimensional_collapse.collapse_curve", "Which directions survive an augmentation?"),
)
