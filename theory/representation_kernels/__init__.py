"""The kernel that contrastive learning finds with any encoder: pointwise mutual information (Huh et al., 2024).

* `ring_world`: events that co-occur within a window, their kernel, and the kernel of blocks of events.
* `tables`: any co-occurrence table, its PMI and coarser views; the scores that one or two encoders can attain.
* `semidefinite`: the convex program of one encoder if PMI is not a Gram matrix, with a certificate.
* `learned`: the learned kernel and the least loss.
* `prediction`: the alignment of two modalities, one of events and one of blocks of events.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.representation_kernels.learned import LearnedKernel, learn_ring, learn_table
    from theory.representation_kernels.prediction import KernelPrediction, predict
    from theory.representation_kernels.ring_world import (
        coarse_row,
        is_semidefinite,
        kernel_alignment,
        mutual_information,
        ring_row,
        ring_table,
    )
    from theory.representation_kernels.semidefinite import solve_ring, solve_table
    from theory.representation_kernels.tables import (
        alignment,
        centre,
        coarsen,
        gram_constant,
        on_events,
        pmi_kernel,
        score_rank,
        table_information,
    )

__all__ = [
    "KernelPrediction",
    "LearnedKernel",
    "alignment",
    "centre",
    "coarse_row",
    "coarsen",
    "gram_constant",
    "is_semidefinite",
    "kernel_alignment",
    "learn_ring",
    "learn_table",
    "mutual_information",
    "on_events",
    "pmi_kernel",
    "predict",
    "ring_row",
    "ring_table",
    "score_rank",
    "solve_ring",
    "solve_table",
    "table_information",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "learned": ("LearnedKernel", "learn_ring", "learn_table"),
        "prediction": ("KernelPrediction", "predict"),
        "ring_world": (
            "coarse_row",
            "is_semidefinite",
            "kernel_alignment",
            "mutual_information",
            "ring_row",
            "ring_table",
        ),
        "semidefinite": ("solve_ring", "solve_table"),
        "tables": (
            "alignment",
            "centre",
            "coarsen",
            "gram_constant",
            "on_events",
            "pmi_kernel",
            "score_rank",
            "table_information",
        ),
    },
)
