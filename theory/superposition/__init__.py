"""Superposition: more features than dimensions in a ReLU autoencoder (Elhage et al., Toy Models of Superposition, 2022).

    x'= relu(W^T W x + b),   W (m, n),   loss = sum_i I_i E (x_i - x'_i)^2

Features are independent, zero with probability 1 - p and else uniform on [0, 1]; p is the probability of being
*active* (the paper's sparsity is 1 - p). `predict` says which features are represented, in which geometry.

* `task`, `prediction`, `reconstruction`: the numbers given, the answer, and which of the parts below gives it.
* `two_features`, `two_feature_minimiser`, `phase_boundary`: n = 2, m = 1, the exact loss and its phase diagram.
* `uniform_sums`, `codes`, `code_scales`, `mixtures`: equal importances, orthogonal sums of regular codes.
* `sparse_limit` and `sparse_limit.md`: p -> 0, proved.
* `gain`: feature dimensionality, and the adversarial gain of an output.
* `feature_averaging`: a two-layer classifier of clusters, and how far its inputs are from another label.
* `linear`: the network without ReLU, which keeps the m most important features.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.superposition.prediction import Prediction
    from theory.superposition.reconstruction import predict
    from theory.superposition.task import SuperpositionTask, check_task

__all__ = ["Prediction", "SuperpositionTask", "check_task", "predict"]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "prediction": ("Prediction",),
        "reconstruction": ("predict",),
        "task": ("SuperpositionTask", "check_task"),
    },
)
