"""Feature collapse: the representation that a one-layer network learns from sentences (arXiv 2305.16162).

`predict` returns the minimiser of the risk. Throughout, W (n_w, d) are the embeddings and U (K, L, d) is the
classifier; in `theory.neural_collapse` W denotes the classifier.

* `minimiser`, `task`, `assumptions`, `prediction`: the prediction, its task, and its assumptions.
* `margins`: the equations behind the three types of collapse.
* `dynamics`: norms and directions during training.
* `samples`: the effect of a finite sample, and words of unequal reliability.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.feature_collapse.assumptions import list_assumptions
    from theory.feature_collapse.latent_share import LatentShare
    from theory.feature_collapse.minimiser import predict
    from theory.feature_collapse.network import CollapsedNetwork
    from theory.feature_collapse.noise import joint_noise
    from theory.feature_collapse.prediction import Assumption, Prediction
    from theory.feature_collapse.task import CollapseTask, check_task
    from theory.feature_collapse.trainable_scale import ScaledNetwork, solve_trainable_scale
    from theory.feature_collapse.word_frequency import resolve_word_frequency

__all__ = [
    "Assumption",
    "CollapseTask",
    "CollapsedNetwork",
    "LatentShare",
    "Prediction",
    "ScaledNetwork",
    "check_task",
    "joint_noise",
    "list_assumptions",
    "predict",
    "resolve_word_frequency",
    "solve_trainable_scale",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "assumptions": ("list_assumptions",),
        "latent_share": ("LatentShare",),
        "minimiser": ("predict",),
        "network": ("CollapsedNetwork",),
        "noise": ("joint_noise",),
        "prediction": ("Assumption", "Prediction"),
        "task": ("CollapseTask", "check_task"),
        "trainable_scale": ("ScaledNetwork", "solve_trainable_scale"),
        "word_frequency": ("resolve_word_frequency",),
    },
)
