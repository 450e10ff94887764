"""What theory says of the gain of an autoencoder, and of the flip distance of a classifier of clusters."""

import math

from experiments.core.prediction import Prediction
from experiments.superposition import reference
from experiments.superposition.gain_configuration import GainConfiguration


def check_theory(configuration: GainConfiguration) -> None:
    """Raise ``ValueError`` for a task that theory cannot take; nothing is solved."""
    if configuration.n_clusters is None:
        reference.check_theory(configuration)


def predict(configuration: GainConfiguration) -> Prediction:
    """Return what theory says of a configuration, NaN for what its network does not have."""
    if configuration.n_clusters is None:
        features = reference.predict(configuration)
        taken = {name: features.quantities[name] for name in ("gain", "norm", "loss")}
        quantities = taken | dict.fromkeys(
            ("flip_distance", "flip_distance_largest", "gradient_attack", "alignment"), math.nan
        )
        return Prediction(basis=features.basis, kind=features.kind, note=features.note, quantities=quantities)
    from theory import superposition

    averaging = superposition.feature_averaging(configuration.n_clusters, configuration.mean_norm)
    return Prediction(
        basis="theorem",
        kind="the average of each label's clusters",
        note="the theorem is about a network whose units are the averages, not about how they are learned; noise makes "
        "units of different signs slightly opposed, which shortens the attack along the gradient to first order",
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
