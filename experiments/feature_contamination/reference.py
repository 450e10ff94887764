"""The prediction for a network on signed features, in the form the comparison reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from experiments.core.prediction import Prediction
from experiments.feature_contamination.configuration import NEURONS, ContaminationConfiguration

if TYPE_CHECKING:
    from theory.feature_contamination import AlignedNetwork, Curves, Features, Neurons

# Random neurons whose mean represents a network before its initial weights are drawn.
N_RANDOM = 4096
CURVES = (
    "loss", "ood_loss", "margin", "ood_margin", "accuracy", "ood_accuracy", "core_weight", "background_weight",
)  # fmt: skip
_ALIGNED = "assumes active, aligned neurons from a small initialisation and Gaussian sums of strengths"
_ODD = f"no background is learned (theorem); otherwise {_ALIGNED}"
_EACH = "each neuron from its initial weights, before margins matter; assumes Gaussian sums of strengths"


@dataclass(frozen=True, kw_only=True, repr=False)
class ContaminationPrediction(Prediction):
    """A prediction that may follow each neuron of a member from its initial weights.

    Args:
        follow: maps initial weights to the final sums of each neuron, by name; None where neurons are assumed
            to be aligned.
    """

    follow: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None


def make_features(configuration: ContaminationConfiguration) -> Features:
    """Return the checked features of a configuration in the form theory takes."""
    from theory.feature_contamination import check_features

    return check_features(
        core_features=configuration.core_features,
        background_features=configuration.n_background,
        core_mean=configuration.core_mean,
        background_mean=configuration.background_mean,
        strength_deviation=configuration.strength_deviation,
    )


def check_theory(configuration: ContaminationConfiguration) -> None:
    """Raise ``ValueError`` for a task that the theory does not cover, without solving it."""
    from theory.feature_contamination.task import require_slope

    make_features(configuration)
    require_slope(configuration.leaky_slope)


def predict(configuration: ContaminationConfiguration) -> ContaminationPrediction:
    """Return the prediction for a configuration, with NaN for quantities that its reduction does not give."""
    if configuration.reduction == NEURONS:
        return _predict_neurons(configuration)
    m = configuration.n_hidden

    def curves(steps, initial) -> dict[str, np.ndarray]:
        return solve_course(configuration, tuple(int(step) for step in steps))._asdict()

    course = solve_course(configuration, (0, configuration.n_steps))
    end = {name: float(values[-1]) for name, values in course._asdict().items()}
    signs = unit_signs(m)
    return ContaminationPrediction(
        basis="approximation",
        kind="aligned",
        note=_ODD if configuration.activation == "tanh" or configuration.effective_slope == 1 else _ALIGNED,
        quantities=end | {
            "ratio": end["background_weight"] / end["core_weight"], "core_r2": np.nan, "background_r2": np.nan
        },
        arrays={
            "core_sums": signs * end["core_weight"] * np.sqrt(configuration.core_features),
            "background_sums": np.full(m, end["background_weight"] * np.sqrt(configuration.n_background)),
        },
        curves=curves,
    )  # fmt: skip


@lru_cache(maxsize=512)
def solve_course(configuration: ContaminationConfiguration, steps: tuple[int, ...]) -> Curves:
    """Return the curves of the aligned network at the given steps."""
    from theory.feature_contamination import aligned_curves

    times = configuration.time_step * np.array(steps, float)
    return aligned_curves(make_features(configuration), aligned_network(configuration), times)


def aligned_network(configuration: ContaminationConfiguration) -> AlignedNetwork:
    """Return the aligned network of a configuration in the form theory takes."""
    from theory.feature_contamination import AlignedNetwork

    return AlignedNetwork(
        activation="relu" if configuration.activation == "linear" else configuration.activation,
        leaky_slope=configuration.effective_slope,
        loss=configuration.loss,
    )


def _predict_neurons(configuration: ContaminationConfiguration) -> ContaminationPrediction:
    """Return the mean prediction over random neurons; :func:`follow_neurons` follows those of a member."""
    n_features, m = configuration.core_features + configuration.n_background, configuration.n_hidden
    weights = configuration.initial_scale * np.random.default_rng(0).standard_normal((N_RANDOM, n_features))
    signs = np.where(np.arange(N_RANDOM) % 2, 1.0, -1.0)
    ends = follow_neurons(configuration, weights, signs, (configuration.n_steps,))
    core, background = mean_weights(configuration, ends, signs)

    def curves(steps, initial) -> dict[str, np.ndarray]:
        own = unit_signs(m)
        paths = follow_neurons(configuration, initial["weights"].astype(float), own, steps)
        core, background = mean_weights(configuration, paths, own)
        nothing = {name: np.full(len(steps), np.nan) for name in CURVES}
        return nothing | {"core_weight": core, "background_weight": background}

    def follow(initial) -> dict[str, np.ndarray]:
        end = follow_neurons(configuration, initial.astype(float), unit_signs(m), (configuration.n_steps,))
        return {"core_sums": end.core_sum[0], "background_sums": end.background_sum[0]}

    quantities = dict.fromkeys(CURVES, np.nan) | {
        "core_weight": float(core[0]),
        "background_weight": float(background[0]),
        "ratio": float(background[0] / core[0]),
        "core_r2": 1.0,
        "background_r2": 1.0,
    }
    arrays = {name: np.full(m, np.nan) for name in ("core_sums", "background_sums")}
    return ContaminationPrediction(
        basis="approximation",
        kind="neurons",
        note=_EACH,
        quantities=quantities,
        arrays=arrays,
        curves=curves,
        follow=follow,
    )


def follow_neurons(configuration: ContaminationConfiguration, weights, signs, steps) -> Neurons:
    """Return the sums of neurons at the given steps, arrays ``(steps, neurons)``.

    Args:
        configuration: the configuration of the run.
        weights: initial weights on the features, ``Float[neurons, n]``.
        signs: signs of the output weights, ``Float[neurons]``.
        steps: increasing step numbers.
    """
    from theory import feature_contamination as contamination

    return contamination.neuron_paths(
        contamination.summarise(weights, configuration.core_features),
        signs,
        configuration.time_step * np.asarray(steps, float),
        make_features(configuration),
        leaky_slope=configuration.effective_slope,
        loss_slope=1.0 if configuration.loss == "hinge" else 0.5,
    )


def mean_weights(configuration: ContaminationConfiguration, neurons: Neurons, signs) -> tuple[np.ndarray, np.ndarray]:
    """Return c and b of a network at each step, averages over the sums of its neurons."""
    core = (signs * neurons.core_sum).mean(axis=-1) / np.sqrt(configuration.core_features)
    return core, neurons.background_sum.mean(axis=-1) / np.sqrt(configuration.n_background)


def unit_signs(n_hidden: int) -> np.ndarray:
    """Return the signs of the output weights: 1 for the first half, -1 for the second."""
    return np.where(np.arange(n_hidden) < n_hidden // 2, 1.0, -1.0)
