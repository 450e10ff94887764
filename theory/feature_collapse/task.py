"""The task of the feature-collapse theorems: the checked parameters of a prediction.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_fraction, require_integer, require_non_negative, require_positive
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.prediction import require_latents
from theory.feature_collapse.word_frequency import is_uniform, resolve_word_frequency
from theory.frames import require_dimension

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Python integers are exact, but n_c^L takes seconds to compute for longer sentences.
_LONGEST_SENTENCE = 100_000


@dataclass(frozen=True, kw_only=True, eq=False)
class CollapseTask:
    """A checked task: `share` (n_c, L, K), mu, lam_W, lam_U, d, whether there is LayerNorm, and the latents if given.

    `word_frequency` is mu as given, a name or numbers. `penalises_normalised`: whether a weight decay acts on
    embeddings that LayerNorm normalises. `label_noise` and `word_noise`: eps and delta of `noise`.
    """

    share: LatentShare
    word_frequency: str | tuple[float, ...]
    word_frequencies: Float[np.ndarray, " s_c"]
    weight_decay: float
    classifier_weight_decay: float
    penalises_normalised: bool
    layer_norm: bool
    embedding_dim: int
    latents: Int[np.ndarray, "K L"] | None
    label_noise: float
    word_noise: float

    @property
    def n_words(self) -> int:
        """The number n_w = n_c s_c of words."""
        return self.share.n_concepts * self.word_frequencies.size

    @property
    def joint_weight_decay(self) -> float:
        """The geometric mean sqrt(lam_W lam_U), which alone determines the product U W^T."""
        return math.sqrt(self.weight_decay) * math.sqrt(self.classifier_weight_decay)

    @property
    def collapse_type(self) -> str:
        """II with LayerNorm; otherwise I for equal word frequencies and III for unequal ones."""
        if self.layer_norm:
            return "II"
        return "I" if is_uniform(self.word_frequencies) else "III"

    @property
    def distinct_latents(self) -> bool:
        """Whether no two classes share a latent; assumed if the latents are not given."""
        return self.latents is None or len(np.unique(self.latents, axis=0)) == len(self.latents)


def check_task(
    *,
    n_concepts: int,
    n_words: int,
    sentence_length: int,
    n_classes: int | str,
    word_frequency: str | Sequence[float] | Float[np.ndarray, " s_c"],
    weight_decay: float,
    classifier_weight_decay: float | None,
    layer_norm: bool,
    embedding_dim: int,
    latents: Int[np.ndarray, "K L"] | None,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> CollapseTask:
    """Return the task for the arguments of `feature_collapse.predict`, after checking them.

    Raises: ValueError, `field: expected ..., got ...`, for the first invalid argument.
    """
    n_concepts = require_integer("n_concepts", n_concepts, minimum=2)
    n_words = require_integer("n_words", n_words, minimum=1)
    sentence_length = require_integer("sentence_length", sentence_length, minimum=1)
    if n_words % n_concepts:
        raise ValueError(f"n_words: expected a multiple of n_concepts={n_concepts}, got {n_words}")
    if sentence_length > _LONGEST_SENTENCE:
        raise ValueError(f"sentence_length: expected at most {_LONGEST_SENTENCE}, got {sentence_length}")
    share = _check_share(n_concepts, sentence_length, n_classes)
    decays = _check_weight_decay(weight_decay, classifier_weight_decay, layer_norm=bool(layer_norm))
    frequencies = resolve_word_frequency(word_frequency, n_words // n_concepts)
    return CollapseTask(
        share=share,
        word_frequency=word_frequency if isinstance(word_frequency, str) else tuple(frequencies.tolist()),
        word_frequencies=frequencies,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        penalises_normalised=bool(layer_norm) and classifier_weight_decay is not None and decays[0] > 0,
        layer_norm=bool(layer_norm),
        embedding_dim=require_dimension(embedding_dim, n_concepts, orthogonal_to_ones=bool(layer_norm)),
        latents=None if latents is None else _check_latents(latents, share),
        label_noise=require_fraction("label_noise", label_noise),
        word_noise=require_fraction("word_noise", word_noise),
    )


def _check_share(n_concepts: int, sentence_length: int, n_classes: int | str) -> LatentShare:
    """Return the share with "all" resolved, or raise ValueError for more classes than latents."""
    n_latents = n_concepts**sentence_length
    if isinstance(n_classes, str):
        if n_classes != "all":
            raise ValueError(f'n_classes: expected an integer or "all", got {n_classes!r}')
        n_classes = n_latents
    n_classes = require_integer("n_classes", n_classes, minimum=1)
    if n_classes > n_latents:
        shown = f"={n_latents}" if n_latents < 10**18 else ""
        bound = f"{n_concepts}**{sentence_length}{shown}"
        raise ValueError(f"n_classes: expected at most n_concepts**sentence_length={bound}, got {n_classes}")
    return LatentShare(n_concepts=n_concepts, sentence_length=sentence_length, n_classes=n_classes)


def _check_weight_decay(
    weight_decay: float, classifier_weight_decay: float | None, *, layer_norm: bool
) -> tuple[float, float]:
    """Return (lam_W, lam_U), both positive; LayerNorm with a separate lam_U also allows lam_W = 0."""
    if classifier_weight_decay is None:
        weight_decay = require_positive("weight_decay", weight_decay)
        return weight_decay, weight_decay
    require = require_non_negative if layer_norm else require_positive
    return require("weight_decay", weight_decay), require_positive("classifier_weight_decay", classifier_weight_decay)


def _check_latents(latents: Int[np.ndarray, "K L"], share: LatentShare) -> Int[np.ndarray, "K L"]:
    """Return the latents, or raise ValueError for a wrong shape, entry or number."""
    array = require_latents(latents, n_concepts=share.n_concepts, sentence_length=share.sentence_length)
    if len(array) != share.n_classes:
        raise ValueError(f"n_classes: expected {len(array)} as in latents, got {share.n_classes}")
    return array
