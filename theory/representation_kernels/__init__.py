"""Which kernel contrastive learning finds, whatever the encoder: pointwise mutual information (Huh et al., 2024).

* `ring_world`: events that co-occur within a window, their kernel, and what is seen of it in blocks.
* `prediction`: how alike two modalities are that see events and blocks of events.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.representation_kernels.prediction import KernelPrediction, predict
    from theory.representation_kernels.ring_world import (
        coarse_row,
        is_semidefinite,
        kernel_alignment,
        mutual_information,
        ring_row,
    )

__all__ = [
    "KernelPrediction",
    "coarse_row",
    "is_semidefinite",
    "kernel_alignment",
    "mutual_information",
    "predict",
    "ring_row",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "prediction": ("KernelPrediction", "predict"),
        "ring_world": ("coarse_row", "is_semidefinite", "kernel_alignment", "mutual_information", "ring_row"),
    },
)
