"""Superposition: more features than dimensions in a ReLU autoencoder (Elhage et al., 2022).

    x'= relu(W^T W x + b),   W (m, n),   loss = sum_i I_i E (x_i - x'_i)^2

Features are independent, zero with probability 1 - p and otherwise uniform on [0, 1]; p is the probability of being
*active* (the paper's sparsity is 1 - p). `predict` returns which features are represented, and in which geometry.

* `task`, `prediction`, `reconstruction`: the task, the prediction, and the choice of the theory that covers a task.
* `two_features`, `two_feature_minimiser`, `phases`: n = 2, m = 1, the exact loss and its phase diagram.
* `uniform_sums`, `codes`, `code_scales`, `square_pyramid`, `parts`, `mixtures`: equal importances, sums of codes.
* `limit` and `limit.md`: the limit p -> 0, with proof.
* `gain`: feature dimensionality, and the adversarial gain of an output.
* `averaging`: a two-layer classifier of clusters, and the distance of its inputs to another label.
* `linear`: the network without ReLU, which keeps the m most important features.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.superposition.averaging import FeatureAveraging, averaged_features, feature_averaging
    from theory.superposition.code_scales import CodeScale, solve_code_scale
    from theory.superposition.codes import Code, regular_codes
    from theory.superposition.gain import LEAST_NORM, dimensionalities, gains, represented_features
    from theory.superposition.limit import SparseLimit, sparse_limit
    from theory.superposition.mixtures import Mixture, best_mixture
    from theory.superposition.parts import Part, make_part
    from theory.superposition.phases import candidate_crossing, candidate_losses, phase_boundary, tied_cells
    from theory.superposition.prediction import Prediction
    from theory.superposition.reconstruction import predict, predict_all
    from theory.superposition.task import SuperpositionTask, check_task, feature_variance
    from theory.superposition.two_feature_minimiser import TwoFeatureMinima, minimise_two_features, phase_index
    from theory.superposition.two_features import two_feature_loss

__all__ = [
    "LEAST_NORM",
    "Code",
    "CodeScale",
    "FeatureAveraging",
    "Mixture",
    "Part",
    "Prediction",
    "SparseLimit",
    "SuperpositionTask",
    "TwoFeatureMinima",
    "averaged_features",
    "best_mixture",
    "candidate_crossing",
    "candidate_losses",
    "check_task",
    "dimensionalities",
    "feature_averaging",
    "feature_variance",
    "gains",
    "make_part",
    "minimise_two_features",
    "phase_boundary",
    "phase_index",
    "predict",
    "predict_all",
    "regular_codes",
    "represented_features",
    "solve_code_scale",
    "sparse_limit",
    "tied_cells",
    "two_feature_loss",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "averaging": ("FeatureAveraging", "averaged_features", "feature_averaging"),
        "code_scales": ("CodeScale", "solve_code_scale"),
        "codes": ("Code", "regular_codes"),
        "gain": ("LEAST_NORM", "dimensionalities", "gains", "represented_features"),
        "limit": ("SparseLimit", "sparse_limit"),
        "mixtures": ("Mixture", "best_mixture"),
        "parts": ("Part", "make_part"),
        "phases": ("candidate_crossing", "candidate_losses", "phase_boundary", "tied_cells"),
        "prediction": ("Prediction",),
        "reconstruction": ("predict", "predict_all"),
        "task": ("SuperpositionTask", "check_task", "feature_variance"),
        "two_feature_minimiser": ("TwoFeatureMinima", "minimise_two_features", "phase_index"),
        "two_features": ("two_feature_loss",),
    },
)
