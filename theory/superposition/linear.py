"""The control without ReLU: x' = W^T W x + b keeps the m most important features and superposes nothing.

Centred features have covariance V 1, and the best b replaces W^T W x + b by its centred version, so that with
M = W^T W and D = diag(I)

    loss = V |(1 - M) D^{1/2}|_F^2 >= V sum of the n - m smallest I_i

by the Eckart-Young theorem, since M D^{1/2} has rank at most m. The projection onto the axes of the m most important
features attains it, with b = p/2 on the others. It is the only minimiser iff the m-th importance exceeds the next one:
for equal importances any projection of rank m has the same loss, and the D_i are determined only up to their sum, m.
"""

from __future__ import annotations

import numpy as np

from theory.superposition.prediction import Prediction
from theory.superposition.task import SuperpositionTask

_FREE = "the minimiser is not unique: among features as important as the last one kept, any projection is a minimiser"


def predict_linear(task: SuperpositionTask) -> Prediction:
    """Return the minimiser of the linear network.

    Args:
        task: any task; importances may differ.

    Returns: the prediction, a theorem for every p.
    Source: Eckart and Young (1936); the module's docstring.
    """
    importance = np.array(task.importance)
    order = np.argsort(-importance, kind="stable")
    n_kept, n_dropped = task.n_hidden, task.n_features - task.n_hidden
    weights = np.zeros((task.n_hidden, task.n_features))
    weights[np.arange(n_kept), order[:n_kept]] = 1.0
    bias = np.zeros(task.n_features)
    bias[order[n_kept:]] = task.active_probability / 2
    ranked = importance[order]
    is_free = n_dropped > 0 and ranked[n_kept - 1] == ranked[n_kept]
    return Prediction(
        features=task,
        geometry=f"{n_kept} dedicated" + (f", {n_dropped} dropped" if n_dropped else ""),
        basis="theorem",
        note=_FREE if is_free else "",
        weights=weights,
        bias=bias,
        loss=float(task.variance * ranked[n_kept:].sum()),
    )
