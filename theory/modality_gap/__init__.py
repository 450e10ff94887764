"""The modality gap: why the embeddings of images and of texts stay apart (Liang et al., 2022).

N pairs of free unit embeddings x_i (of images) and y_i (of texts), in at least N dimensions, are trained with the
symmetric contrastive loss at inverse temperature beta. With probability eps, the *mismatch rate*, the target of an
embedding belongs to another pair. The *gap* is the distance between the means of the two modalities. Throughout,
a = N/(N-1).

* `loss_floor`: the threshold ``z* = log((1 - eps)(N - 1)/eps)/a``, the least loss, and the largest gap that a minimiser
  may have: 0 up to z*, ``2 sqrt(1 - z*/beta)`` above, a pitchfork. `minimisers.md` proves it for all embeddings.
* `embeddings`: the loss of any embeddings, and minimisers of every gap up to the largest.
* `cosines`: cosines within and between modalities on the symmetric branch, before and after centring, and retrieval.
* `descent`: gradient flow from the symmetric start. With a learnable beta, ``gap beta^k`` is conserved,
  ``k = eta_x/(N eta_s)``; it determines the end point.
* `towers`: the gap of two random ReLU towers of any depth.
* `prediction`: all predictions for one task.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.modality_gap.cosines import Cosines, branch_cosines, mixed_threshold
    from theory.modality_gap.descent import Descent, decay_rate, end_point, follow_flow
    from theory.modality_gap.embeddings import (
        embeddings_loss,
        embeddings_of_gap,
        gap_of,
        mean_margin,
        simplex,
        symmetric_embeddings,
    )
    from theory.modality_gap.loss_floor import largest_gap, margin_loss, minimal_loss, threshold
    from theory.modality_gap.prediction import Prediction, predict
    from theory.modality_gap.towers import initial_gap, tower_cosine

__all__ = [
    "Cosines",
    "Descent",
    "Prediction",
    "branch_cosines",
    "decay_rate",
    "embeddings_loss",
    "embeddings_of_gap",
    "end_point",
    "follow_flow",
    "gap_of",
    "initial_gap",
    "largest_gap",
    "margin_loss",
    "mean_margin",
    "minimal_loss",
    "mixed_threshold",
    "predict",
    "simplex",
    "symmetric_embeddings",
    "threshold",
    "tower_cosine",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "cosines": ("Cosines", "branch_cosines", "mixed_threshold"),
        "descent": ("Descent", "decay_rate", "end_point", "follow_flow"),
        "embeddings": (
            "embeddings_loss",
            "embeddings_of_gap",
            "gap_of",
            "mean_margin",
            "simplex",
            "symmetric_embeddings",
        ),
        "loss_floor": ("largest_gap", "margin_loss", "minimal_loss", "threshold"),
        "prediction": ("Prediction", "predict"),
        "towers": ("initial_gap", "tower_cosine"),
    },
)
