"""Normalised word vectors: measured variables, and the known minimiser of each normalisation.

All latents are classes, and only the classifier (and scale and offset, if present) is penalised; ``eta`` and ``f`` are
those of :mod:`theory.feature_collapse`, and ``p_w`` is the probability of a word.

``layer``, ``rms``, ``batch``
    Type II, for all frequencies. All three impose the constraint ``sum_w p_w |v_w|^2 = d`` (BatchNorm under the true
    frequencies: it imposes ``sum_w p_w v_wi^2 = 1`` in every coordinate, and batches have these frequencies
    approximately). Under this constraint alone, Type II is a global minimiser, and all three can attain it. Proof:
    replace the constraint by a penalty ``alpha/2 sum_w p_w |v_w|^2``, so that with ``M' = U V^T diag(sqrt(p))`` the
    least penalty is ``sqrt(lam alpha) |M'|_*``. At Type II the gradient of the cross-entropy by the logits of class
    ``k`` at position ``l`` is ``-s mu_b <f_{z_kl}, f_a>`` for word ``(a, b)``, with one ``s`` for all. The gradient by
    ``M'`` is thus proportional to ``sqrt(mu_b) <f_{z_kl}, f_a>``, as is ``M'``: there are ``n_c - 1`` equal singular
    values, and a subgradient for the ``alpha`` that balances both penalties. LayerNorm needs ``d >= n_c``, the others
    ``d >= n_c - 1``; a simplex can be rotated so that all coordinates have the same variance (tight frames of ``d``
    equal vectors in ``n_c - 1`` dimensions exist).
``rms-affine``
    :mod:`theory.feature_collapse.trainable_scale`: ``n_c - 1`` coordinates are nonzero, the simplex persists, and its
    norm changes.
``layer-affine``
    There is no closed form. The scale becomes sparse, and the remaining coordinates must sum to zero with the others,
    which breaks the simplex.
"""

import math

import numpy as np
import xarray

from experiments.core.columns import attach, attach_cells, each_member
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from simlab.metrics import geometry
from simlab.tasks.word_law import word_frequencies

VARIABLES = {
    "live_coordinates": Variable((), "participation ratio of the coordinates' variances over all words"),
    "rare_norm": Variable((), "norm of the rarest words over that of the most frequent ones"),
}
KNOWN = {
    "norm_known": Variable((), "predicted norm of the normalised words, rms"),
    "risk_known": Variable((), "predicted risk", "nats"),
    "rare_norm_known": Variable((), "predicted norm of the rarest words over that of the most frequent ones"),
    "live_coordinates_known": Variable((), "predicted number of coordinates with nonzero variance"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add :data:`VARIABLES` of every member and :data:`KNOWN` of every cell; NaN where no value is known.

    Under LayerNorm and RMSNorm the number of live coordinates is not determined, because the simplex may be rotated
    freely. Under BatchNorm all coordinates are live.
    """
    rows = []
    for index, cell, _ in each_member(dataset, plan):
        task = cell.spec.task
        vectors = dataset.embeddings.values[index][: task.n_words, : cell.spec.network.embedding_dim]
        shares = (
            np.tile(word_frequencies(task.word_frequency, task.words_per_concept), task.n_concepts) / task.n_concepts
        )
        norms = geometry.norms(vectors.astype(np.float64)).reshape(task.n_concepts, -1)
        ranked = np.sqrt(np.mean(norms**2, axis=0))
        rows.append({"live_coordinates": live_coordinates(vectors, shares), "rare_norm": ranked[-1] / ranked[0]})
    dataset = attach(dataset, plan, rows, VARIABLES)
    return attach_cells(dataset, plan, [known_of(cell) for cell in plan.cells], KNOWN)


def live_coordinates(vectors: np.ndarray, shares: np.ndarray) -> float:
    """Return the participation ratio ``(sum_i v_i)^2 / sum_i v_i^2`` of the coordinates' variances ``v_i``.

    It is ``d`` if all variances are equal, and 1 if only one is nonzero.

    Args:
        vectors: word vectors, ``Float[n_w, d]``.
        shares: probability of each word, ``Float[n_w]``; they sum to 1.
    """
    vectors = np.asarray(vectors, np.float64)
    variances = shares @ (vectors - shares @ vectors) ** 2
    return float(variances.sum() ** 2 / np.sum(variances**2))


def known_of(cell) -> dict[str, float]:
    """Return the known values of a cell, by the names of :data:`KNOWN`; NaN where none is known."""
    kind, prediction = cell.spec.network.normalisation, cell.prediction
    if math.isnan(prediction.risk):
        return dict.fromkeys(KNOWN, math.nan)
    live = {"batch": prediction.embedding_dim, "rms-affine": 0 if prediction.is_zero else prediction.n_concepts - 1}
    return {
        "norm_known": float(prediction.embedding_norms[0]),
        "risk_known": prediction.risk,
        "rare_norm_known": math.nan if prediction.is_zero else 1.0,
        "live_coordinates_known": float(live.get(kind, math.nan)),
    }
