"""Comparison of the learned kernel with the predicted one."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.representation_kernels.reference import WorldPrediction
from simlab.losses.expected_info_nce import ExpectedInfoNCE
from simlab.metrics.similarity import centre, cka
from simlab.sweeps.members import MemberRun

QUANTITIES = {
    "cka": Quantity(
        label="CKA with the predicted kernel of events",
        headline="compared",
        panels=(Panel(label="CKA with the\nkernel of events", height=1.0, scale="linear"),),
    ),
    "loss": Quantity(
        label="loss", unit="nats", headline="compared", panels=(Panel(label="loss (nats)", height=0.8, scale="linear"),)
    ),
    "kernel_error": Quantity(
        label="largest error of the kernel",
        unit="nats",
        headline="learned",
        panels=(Panel(label="largest error of\nthe kernel (nats)", height=0.8),),
    ),
    "excess": Quantity(label="loss above log(n) - mutual information", unit="nats"),
    "pmi_distance": Quantity(label="largest deviation of the kernel from PMI", unit="nats"),
}
ARRAYS = {"kernel": Variable(("event", "partner"), "learned centred scores of events", "nats")}


def measure(member, run: MemberRun, prediction: WorldPrediction) -> Measured:
    """Return the measured quantities of a member, with its scores centred to remove constants of rows."""
    scores = run.final["first"] @ run.final["second"].T / member.hyperparameters.temperature
    kernel, loss = centre(scores), run.last_metrics["loss"]
    return Measured(
        quantities={
            "cka": cka(kernel, prediction.events_kernel),
            "loss": loss,
            "kernel_error": float(np.abs(kernel - prediction.arrays["kernel"]).max()),
            "excess": loss - np.log(len(kernel)) + prediction.information,
            "pmi_distance": float(np.abs(kernel - prediction.pmi).max()),
        },
        arrays={"kernel": kernel},
        predicted=prediction.arrays,
    )


COMPARISON = standard_comparison(
    quantities=QUANTITIES, arrays=ARRAYS, metrics=ExpectedInfoNCE.recorded, measure=measure
)
