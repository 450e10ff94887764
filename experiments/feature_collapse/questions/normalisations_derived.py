"""What normalisations make of word vectors, and what is known of each.

All latents as classes, a penalty on the classifier (and on scale and offset, if there are any) alone; ``eta`` and ``f``
as in :mod:`theory.feature_collapse`, ``p_w`` the probability of a word.

``layer``, ``rms``, ``batch``
    Type II, whatever the frequencies. All three bind the words by ``sum_w p_w |v_w|^2 = d`` (BatchNorm under the true
    frequencies: it asks for ``sum_w p_w v_wi^2 = 1`` in every coordinate, and batches hold the frequencies but nearly).
    Under that bond alone Type II is a global minimiser already, and all three can reach it. Proof: put a penalty
    ``alpha/2 sum_w p_w |v_w|^2`` in its place, so that with ``M' = U V^T diag(sqrt(p))`` the least penalty is
    ``sqrt(lam alpha) |M'|_*``. At Type II the gradient of the cross-entropy by the logits of class ``k`` at position
    ``l`` is ``-s mu_b <f_{z_kl}, f_a>`` for word ``(a, b)``, with one ``s`` for all, and so by ``M'`` proportional to
    ``sqrt(mu_b) <f_{z_kl}, f_a>``, as ``M'`` is: ``n_c - 1`` equal singular values, and a subgradient for the ``alpha``
    that balances both penalties. LayerNorm needs ``d >= n_c``, the others ``d >= n_c - 1``; a simplex can be turned so
    that all coordinates have the same variance (tight frames of ``d`` equal vectors in ``n_c - 1`` dimensions exist).
``rms-affine``
    :mod:`theory.feature_collapse.trainable_scale`: ``n_c - 1`` coordinates live, the simplex stays, the norm is
    another.
``layer-affine``
    no closed form. The scale goes sparse, and the coordinates that it has left must sum to zero with the others: the
    simplex breaks.
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
    "norm_known": Variable((), "norm of the normalised words that is known for this normalisation, rms"),
    "risk_known": Variable((), "risk that is known for this normalisation", "nats"),
    "rare_norm_known": Variable((), "rare_norm that is known for this normalisation"),
    "live_coordinates_known": Variable((), "number of coordinates that live, known for this normalisation"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add :data:`VARIABLES` of every member and, of every cell, :data:`KNOWN`; NaN where nothing is known.

    Of LayerNorm, RMSNorm and BatchNorm it is not known how many coordinates live: a simplex may be turned at will, and
    for BatchNorm only so that all of them do.
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
    """Return ``(sum_i v_i)^2 / sum_i v_i^2`` of the coordinates' variances: ``d`` if all are equal, 1 if one lives.

    Args:
        vectors: ``Float[n_w, d]``.
        shares: ``Float[n_w]``, the probability of each word; they sum to 1.
    """
    vectors = np.asarray(vectors, np.float64)
    variances = shares @ (vectors - shares @ vectors) ** 2
    return float(variances.sum() ** 2 / np.sum(variances**2))


def known_of(cell) -> dict[str, float]:
    """Return what is known of a cell, by the names of :data:`KNOWN`."""
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
