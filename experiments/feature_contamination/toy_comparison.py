"""Measurements of a network of the toy experiment, for which there is no prediction."""

from experiments.core.prediction import Prediction
from experiments.core.quantity import Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from simlab.losses.decayed_margin import DecayedMarginLoss
from simlab.sweeps.members import MemberRun

QUANTITIES = {
    "train_loss": Quantity(label="training loss", unit="nats", headline="learned"),
    "loss": Quantity(label="held-out loss", unit="nats", headline="learned"),
    "ood_loss": Quantity(label="loss out of distribution", unit="nats", headline="learned"),
    "ood_accuracy": Quantity(label="accuracy out of distribution"),
    "core_weight": Quantity(label="mean signed weight along the core"),
    "background_weight": Quantity(label="mean signed weight along the background", headline="learned"),
    "core_norm": Quantity(label="mean norm of the weights on the core"),
    "background_norm": Quantity(label="mean norm of the weights on the background"),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the metrics of the last record."""
    return Measured(quantities={name: float(run.last_metrics[name]) for name in QUANTITIES})


COMPARISON = standard_comparison(quantities=QUANTITIES, metrics=DecayedMarginLoss.recorded, measure=measure)
