"""Geometry of two modalities, where rows i form a pair: gap, cosines and retrieval."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# Cosines that differ by less are equal: rounding of embeddings in float32.
TIE = 1e-5


class ModalityCosines(NamedTuple):
    """Means over the embeddings.

    Attributes:
        matched: mean cosine of an image and its text.
        unmatched: mean cosine of an image and another text.
        within: mean cosine of two different images, or two different texts.
        retrieval: share of embeddings whose nearest neighbour in the other modality is their pair.
        mixed_retrieval: share of embeddings whose nearest neighbour in both modalities is their pair.
    """

    matched: float
    unmatched: float
    within: float
    retrieval: float
    mixed_retrieval: float


def modality_gap(images: Float[np.ndarray, "N d"], texts: Float[np.ndarray, "N d"]) -> float:
    """Return the distance between the means of the modalities (Liang et al., 2022)."""
    return float(np.linalg.norm(images.mean(axis=0) - texts.mean(axis=0)))


def modality_cosines(images: Float[np.ndarray, "N d"], texts: Float[np.ndarray, "N d"]) -> ModalityCosines:
    """Return cosines and retrieval; a tie between the pair and another embedding counts as no retrieval."""
    images, texts = unit_rows(images), unit_rows(texts)
    across, own = images @ texts.T, (images @ images.T, texts @ texts.T)
    others = ~np.eye(len(images), dtype=bool)
    matched = np.diag(across)
    rivals = [np.where(others, side, -np.inf).max(axis=1) for side in (across, across.T)]
    neighbours = [np.where(others, side, -np.inf).max(axis=1) for side in own]
    return ModalityCosines(
        matched=float(matched.mean()),
        unmatched=float(across[others].mean()),
        within=float(np.mean([side[others].mean() for side in own])),
        retrieval=float(np.mean([matched > rival + TIE for rival in rivals])),
        mixed_retrieval=float(
            np.mean([matched > np.maximum(*pair) + TIE for pair in zip(rivals, neighbours, strict=True)])
        ),
    )


def centred_modalities(
    images: Float[np.ndarray, "N d"], texts: Float[np.ndarray, "N d"]
) -> tuple[Float[np.ndarray, "N d"], Float[np.ndarray, "N d"]]:
    """Return both modalities, each centred by its mean."""
    return images - images.mean(axis=0), texts - texts.mean(axis=0)


def unit_rows(vectors: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
    """Return vectors of norm 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1.0)
