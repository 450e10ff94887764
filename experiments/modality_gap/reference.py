"""The prediction for a run on two modalities, in the form the comparison reads."""

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
WIDE = "infinitely wide towers"
SLOW = "without mismatch the threshold is infinite: the gap closes at any beta, at a rate ~ exp(-N/(N-1) beta)"
ENDLESS = "without mismatch beta grows without bound, like log t, as gap and loss fall: predicted at the last step"
NOT_DECIDED = "above the threshold minimisers have any gap from 0 to 2 sqrt(1 - z*/beta), depending on the start"
UNKNOWN_END = "the end point of a learnable beta is predicted only for gradient descent from a symmetric start"


def check_theory(configuration: ModalityConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()


def solve(configuration: ModalityConfiguration) -> Theory:
    """Return theory's prediction; with a learnable temperature, from the symmetric start."""
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
    """Return theory's prediction with the numbers of the configured run, NaN where its start leaves them open."""
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
    """Return the prediction for a configuration, NaN for quantities that theory leaves open."""
    theory = solve(configuration)
    if configuration.n_steps == 0:
        return _at_start(configuration, theory)
    if configuration.is_symmetric and _has_end(configuration):
        return _on_branch(configuration, theory)
    return _from_any_start(configuration, theory)


def _has_flow(configuration: ModalityConfiguration) -> bool:
    """Return whether a run is constant-rate gradient descent on the symmetric family, which follows the flow."""
    is_descent = configuration.optimizer == "sgd" and configuration.schedule == "constant"
    return configuration.is_symmetric and is_descent and configuration.n_steps > 0


def _has_end(configuration: ModalityConfiguration) -> bool:
    """Return whether the end point of a symmetric start is predicted; with a learnable beta, from the rate ratio."""
    if not configuration.is_learnable:
        return True
    return configuration.optimizer == "sgd" and (configuration.mismatch > 0 or _has_flow(configuration))


def follow(configuration: ModalityConfiguration, steps: np.ndarray) -> Descent:
    """Return the gradient flow from a symmetric start at the given steps."""
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
    """Return a prediction with the given quantities, NaN for the others, and the curves of the flow if any."""
    has_arrays = configuration.n_steps > 0  # arrays of wide random towers would dominate the size of the dataset
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
    """Return the curves of the metrics under gradient flow, NaN where there is none."""
    if not _has_flow(configuration):
        return {name: np.full(len(steps), np.nan) for name in CURVES}
    flow = follow(configuration, steps)
    return {name: getattr(flow, name) for name in CURVES}


def _pad(embeddings, shape: tuple[int, int]) -> list[np.ndarray]:
    """Return embeddings padded with zeros to a shape."""
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
    """Return the end point of a symmetric start; without mismatch, which has none at finite time, the last step."""
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
    """Return what all minimisers share: minimum loss and perfect retrieval; up to the threshold, the simplex."""
    from theory import modality_gap

    if configuration.is_learnable:
        least = math.inf if configuration.largest_beta is None else configuration.largest_beta
        best = min(least, theory.threshold)  # infinite without mismatch and clip: the loss then has no minimum
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
