"""What theory says of a run on two modalities, as the comparison reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from experiments.core.prediction import Prediction
from experiments.modality_gap.configuration import ModalityConfiguration

if TYPE_CHECKING:
    from theory.modality_gap import Descent
    from theory.modality_gap import Prediction as Theory

QUANTITIES = (
    "gap", "loss", "inverse_temperature", "product", "matched", "unmatched", "within", "retrieval", "mixed_retrieval",
    "centred_gap", "centred_matched", "centred_retrieval", "centred_mixed_retrieval",
)  # fmt: skip
CURVES = ("loss", "gap", "inverse_temperature")
WIDE = "for infinitely wide towers"
SLOW = "without mismatch the threshold is infinite: the gap closes at any beta, at a rate like exp(-N/(N-1) beta)"
ENDLESS = "without mismatch beta grows for ever, like log t, and gap and loss fall with it: predicted at the last step"
NOT_DECIDED = "above the threshold minimisers have gaps from 0 to 2 sqrt(1 - z*/beta): the start decides"
UNKNOWN_END = "where a learnable beta ends is predicted from a symmetric start and for gradient descent only"


def check_theory(configuration: ModalityConfiguration) -> None:
    """Raise ``ValueError`` for choices that theory cannot take."""
    configuration.check()


def solve(configuration: ModalityConfiguration) -> Theory:
    """Return the prediction of theory, of a learnable temperature from the symmetric start."""
    from theory import modality_gap

    configuration.check()
    learnable = configuration.is_learnable
    is_random = configuration.encoder == "towers" and configuration.n_steps == 0
    return modality_gap.predict(
        n_pairs=configuration.n_pairs,
        mismatch=configuration.mismatch,
        inverse_temperature=configuration.beta,
        learnable=learnable,
        initial_gap=configuration.initial_gap if learnable else None,
        temperature_rate=configuration.temperature_rate or 1.0,
        clip=configuration.largest_beta,
        depth=configuration.depth if is_random else None,
        input_dim=configuration.latent_dim if is_random else None,
    )


def solve_run(configuration: ModalityConfiguration) -> Theory:
    """Return theory's prediction with the numbers of the run that is configured, NaN for what its start leaves open."""
    from theory.modality_gap import Cosines, branch_cosines

    theory, prediction = solve(configuration), predict(configuration)
    numbers = prediction.quantities
    if math.isfinite(numbers["matched"]):
        cosines = [branch_cosines(theory.n_pairs, numbers["gap"], is_centred=centred) for centred in (False, True)]
    else:
        cosines = [Cosines(*[math.nan] * len(Cosines._fields))] * 2
    return replace(
        theory,
        gap=numbers["gap"],
        loss=numbers["loss"],
        final_inverse_temperature=numbers["inverse_temperature"] if configuration.is_learnable else None,
        cosines=cosines[0],
        centred_cosines=cosines[1],
        basis=prediction.basis,
        note=prediction.note,
        task=theory.task | {"output_dim": configuration.dimension, "encoder": configuration.encoder},
    )


def predict(configuration: ModalityConfiguration) -> Prediction:
    """Return what theory says of a configuration, NaN for what it leaves open."""
    theory = solve(configuration)
    if configuration.n_steps == 0:
        return _at_start(configuration, theory)
    if configuration.is_symmetric and _has_end(configuration):
        return _on_branch(configuration, theory)
    return _from_any_start(configuration, theory)


def _has_flow(configuration: ModalityConfiguration) -> bool:
    """Return whether a run is gradient descent of one rate on the symmetric family, which follows the flow."""
    is_descent = configuration.optimizer == "sgd" and configuration.schedule == "constant"
    return configuration.is_symmetric and is_descent and configuration.n_steps > 0


def _has_end(configuration: ModalityConfiguration) -> bool:
    """Return whether the end of a symmetric start is predicted: of a learnable beta, by the ratio of its rates."""
    if not configuration.is_learnable:
        return True
    return configuration.optimizer == "sgd" and (configuration.mismatch > 0 or _has_flow(configuration))


def follow(configuration: ModalityConfiguration, steps: np.ndarray) -> Descent:
    """Return the gradient flow of a configuration with a symmetric start at these steps."""
    from theory import modality_gap

    rate = configuration.embedding_rate
    return modality_gap.follow_flow(
        np.asarray(steps, float),
        configuration.n_pairs,
        configuration.mismatch,
        configuration.beta,
        configuration.initial_gap,
        learning_rate=rate,
        temperature_rate=configuration.temperature_rate * rate / configuration.n_pairs,
        clip=configuration.largest_beta,
    )


def _describe(configuration: ModalityConfiguration, theory: Theory, *, basis: str, kind: str, note: str = "",
              embeddings=None, **quantities: float) -> Prediction:  # fmt: skip
    """Return a prediction with what is known; its curves are those of the flow where there is one."""
    has_arrays = configuration.n_steps > 0  # those of wide random towers would fill the dataset
    shape = (configuration.n_pairs, configuration.dimension) if has_arrays else (0, 0)
    images, texts = np.full((2, *shape), np.nan) if embeddings is None else _pad(embeddings, shape)
    return Prediction(
        basis=basis,
        kind=kind,
        note=note,
        quantities=dict.fromkeys(QUANTITIES, math.nan) | {"centred_gap": 0.0} | quantities,
        arrays={
            "image_embeddings": images,
            "text_embeddings": texts,
            "clouds": np.full((3, 2, configuration.n_pairs, 2) if has_arrays else (0, 0, 0, 0), np.nan),
        },
        thresholds={"threshold": theory.threshold if math.isfinite(theory.threshold) else math.nan},
        curves=partial(_curves, configuration),
    )


def _curves(configuration: ModalityConfiguration, steps: np.ndarray, initial) -> Mapping[str, np.ndarray]:
    """Return the course of the metrics by gradient flow, NaN where there is none."""
    if not _has_flow(configuration):
        return {name: np.full(len(steps), np.nan) for name in CURVES}
    flow = follow(configuration, steps)
    return {name: getattr(flow, name) for name in CURVES}


def _pad(embeddings, shape: tuple[int, int]) -> list[np.ndarray]:
    """Return embeddings with zeros in the dimensions that they do not use."""
    return [np.pad(side, ((0, 0), (0, shape[1] - side.shape[1]))) for side in embeddings]


def _at_start(configuration: ModalityConfiguration, theory: Theory) -> Prediction:
    """Return the gap of an untrained network: two random towers, or the symmetric start."""
    beta = configuration.beta
    if theory.initial_tower_gap is not None:
        return _describe(configuration, theory, basis="approximation", kind="initial gap", note=WIDE,
                         gap=theory.initial_tower_gap, inverse_temperature=beta)  # fmt: skip
    gap = configuration.initial_gap if configuration.is_symmetric else math.nan
    return _describe(configuration, theory, basis="theorem", kind="start", gap=gap, inverse_temperature=beta)


def _on_branch(configuration: ModalityConfiguration, theory: Theory) -> Prediction:
    """Return the end of a symmetric start; without mismatch, which has no end at a finite time, the last step's."""
    from theory import modality_gap

    gap, loss, basis, notes = theory.gap, theory.loss, "theorem", []
    beta = configuration.beta if theory.final_inverse_temperature is None else theory.final_inverse_temperature
    if configuration.mismatch == 0:
        notes.append(ENDLESS if math.isinf(beta) else SLOW)
        if _has_flow(configuration):
            flow, basis = follow(configuration, np.array([0, configuration.n_steps])), "numerical"
            gap, loss, beta = (float(getattr(flow, name)[-1]) for name in ("gap", "loss", "inverse_temperature"))
    elif configuration.initial_gap == 0 and not configuration.is_learnable:
        gap, loss = 0.0, float(modality_gap.margin_loss(configuration.n_pairs, configuration.mismatch, beta))
    cosines = modality_gap.branch_cosines(configuration.n_pairs, gap)
    is_clipped = beta == configuration.largest_beta
    has_product = configuration.is_learnable and not is_clipped
    exponent = 1 / configuration.temperature_rate if has_product else math.nan
    return _describe(
        configuration, theory, basis=basis, kind="symmetric branch", note="; ".join(notes),
        embeddings=modality_gap.symmetric_embeddings(configuration.n_pairs, gap),
        gap=gap, loss=loss, inverse_temperature=beta, product=configuration.initial_gap * configuration.beta**exponent,
        matched=cosines.matched, unmatched=cosines.unmatched, within=cosines.within, retrieval=1.0,
        mixed_retrieval=cosines.mixed_retrieval,
        centred_matched=1.0, centred_retrieval=1.0, centred_mixed_retrieval=1.0,
    )  # fmt: skip


def _from_any_start(configuration: ModalityConfiguration, theory: Theory) -> Prediction:
    """Return what every minimiser has: the least loss and perfect retrieval; up to the threshold, the simplex."""
    from theory import modality_gap

    if configuration.is_learnable:
        least = math.inf if configuration.largest_beta is None else configuration.largest_beta
        best = min(least, theory.threshold)  # infinite without mismatch and clip, where the loss falls for ever
        is_reached = math.isfinite(best)
        loss = float(modality_gap.margin_loss(theory.n_pairs, theory.mismatch, best)) if is_reached else math.nan
        return _describe(configuration, theory, basis="theorem", kind="least loss", note=UNKNOWN_END, loss=loss)
    common = {"loss": theory.loss, "inverse_temperature": configuration.beta, "retrieval": 1.0,
              "centred_retrieval": 1.0}  # fmt: skip
    if theory.gap > 0:
        return _describe(configuration, theory, basis="theorem", kind="least loss", note=NOT_DECIDED, **common)
    cosines = theory.cosines
    note = SLOW if configuration.mismatch == 0 else ""
    return _describe(
        configuration, theory, basis="theorem", kind="closed gap", note=note, gap=0.0, matched=cosines.matched,
        unmatched=cosines.unmatched, within=cosines.within, mixed_retrieval=1.0, centred_matched=1.0,
        centred_mixed_retrieval=1.0, **common,
    )  # fmt: skip
