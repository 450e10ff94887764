"""Which temperature is fastest? The time to isotropy is U-shaped in temperature.

At low temperature only near negatives repel; at high temperature all repel weakly. Vectors start on a narrow cone, like
the sentence vectors of an encoder pre-trained on masked words.
"""

from experiments.contextual_embeddings.class_vectors.configuration import ConeConfiguration
from experiments.contextual_embeddings.class_vectors.isotropy_time import ISOTROPY_TIME
from experiments.core.experiment import Experiment, Regime

HORIZON = 160  # steps times learning rate; at temperature 0.1 a mean cosine of 0.1 is reached at 123
COARSE = ConeConfiguration(learning_rate=0.1, n_steps=round(HORIZON / 0.1))
FINE = COARSE.replace(learning_rate=0.05, n_steps=round(HORIZON / 0.05))
RANDOM = COARSE.replace(dim=256, random_directions=True, dtype="float32")


def derive(dataset, plan):
    """Add the predicted times as functions of temperature, and the fastest temperature."""
    from experiments.contextual_embeddings.class_vectors import temperature_derived

    return temperature_derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="contrastive-temperature",
    summary="the time to isotropy is U-shaped in temperature, with a predicted optimum",
    regimes=(
        Regime(name="coarse", summary="gradient descent with learning rate 0.1", quick=COARSE),
        Regime(name="fine", summary="half that learning rate: half the error", quick=FINE),
        Regime(
            name="random-directions",
            summary="vectors in random directions around their mean",
            quick=RANDOM,
            paper=RANDOM.replace(dim=1024),
        ),
    ),
    phenomenon=ISOTROPY_TIME,
    quick_time="20 s",
    paper_time="4 min",
    vary={
        "quick": {"temperature": (0.08, 0.1, 0.14, 0.2, 0.3, 0.5, 1.0)},
        "paper": {"temperature": (0.07, 0.08, 0.1, 0.12, 0.14, 0.17, 0.2, 0.22, 0.26, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5)},
    },
    seeds={"quick": 3, "paper": 5},
    derive=derive,
    figures=("contextual_embeddings.contrastive_temperature",),
    talk=("contextual_embeddings.contrastive_temperature", "Which temperature is fastest?"),
)
