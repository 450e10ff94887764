"""The prediction of the gain of an autoencoder, and of the flip distance of a cluster classifier."""

import math

from experiments.core.prediction import Prediction
from experiments.superposition import reference
from experiments.superposition.gain_configuration import GainConfiguration


def check_theory(configuration: GainConfiguration) -> None:
    """Raise ``ValueError`` for a task that the theory does not cover, without solving it."""
    if configuration.n_clusters is None:
        reference.check_theory(configuration)


def predict(configuration: GainConfiguration) -> Prediction:
    """Return the prediction for a configuration, NaN for quantities its network does not have."""
    if configuration.n_clusters is None:
        features = reference.predict(configuration)
        shared = {name: features.quantities[name] for name in ("gain", "norm", "loss")}
        quantities = shared | dict.fromkeys(
            ("flip_distance", "flip_distance_largest", "gradient_attack", "alignment"), math.nan
        )
        return Prediction(basis=features.basis, kind=features.kind, note=features.note, quantities=quantities)
    from theory import superposition

    averaging = superposition.feature_averaging(configuration.n_clusters, configuration.mean_norm)
    return Prediction(
        basis="theorem",
        kind="the average of each label's clusters",
        note="the theorem assumes units equal to the averages, not that they are learned; noise makes units of "
        "different signs slightly anti-aligned, which shortens the gradient attack to first order",
        quantities={
            "gain": math.nan,
            "norm": math.nan,
            "loss": math.nan,
            "flip_distance": averaging.flip_distance,
            "flip_distance_largest": averaging.flip_distance,
            "gradient_attack": averaging.gradient_attack_distance,
            "alignment": 1.0,
        },
    )
