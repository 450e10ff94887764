"""Feature contamination: ReLU networks learn background features independent of the label (Zhang et al., 2024).

    x = y sum_core z_j m_j + sum_background z_j m_j,     f(x) = sum_k a_k phi(w_k . x),   a_k = +-1/m frozen

y = +-1 is the label; out of distribution the sign of the background is flipped. Time is s = rate * steps / m. `predict`
returns the learned background relative to the core, the *contamination ratio* r* = b/c.

* `task`, `prediction`: the task, and the prediction.
* `neurons`: the three-variable ODE of each neuron, while the slope of the loss is the same for all examples.
* `ratio`: r*, its limits and a one-line law; the accuracy out of distribution.
* `aligned`, `quadrature`: the two-variable ODE of whole curves; linear and odd activations do not contaminate.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.feature_contamination.aligned import AlignedNetwork, Curves, aligned_curves, aligned_drift
    from theory.feature_contamination.neurons import Neurons, neuron_drift, neuron_paths, summarise
    from theory.feature_contamination.prediction import Prediction, predict
    from theory.feature_contamination.ratio import (
        contamination_ratio,
        one_line_law,
        ood_accuracy,
        ratio_drift,
        strong_background_ratio,
        undisturbed_ratio,
    )
    from theory.feature_contamination.task import UNIFORM_DEVIATION, Features, check_features

__all__ = [
    "UNIFORM_DEVIATION",
    "AlignedNetwork",
    "Curves",
    "Features",
    "Neurons",
    "Prediction",
    "aligned_curves",
    "aligned_drift",
    "check_features",
    "contamination_ratio",
    "neuron_drift",
    "neuron_paths",
    "one_line_law",
    "ood_accuracy",
    "predict",
    "ratio_drift",
    "strong_background_ratio",
    "summarise",
    "undisturbed_ratio",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "aligned": ("AlignedNetwork", "Curves", "aligned_curves", "aligned_drift"),
        "neurons": ("Neurons", "neuron_drift", "neuron_paths", "summarise"),
        "prediction": ("Prediction", "predict"),
        "ratio": (
            "contamination_ratio",
            "one_line_law",
            "ood_accuracy",
            "ratio_drift",
            "strong_background_ratio",
            "undisturbed_ratio",
        ),
        "task": ("UNIFORM_DEVIATION", "Features", "check_features"),
    },
)
