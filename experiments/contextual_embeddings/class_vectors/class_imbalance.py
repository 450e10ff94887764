"""How anisotropic are sentences of unequal classes? From the simplex at tau -> 0 to a floor at high tau."""

from experiments.contextual_embeddings.class_vectors.configuration import ClassConfiguration
from experiments.contextual_embeddings.class_vectors.phenomenon import CLASS_VECTORS
from experiments.core.experiment import Experiment, Regime

LARGE = ClassConfiguration(n_classes=8, dim=8, batch_size=None, largest_prior=0.7, n_steps=300)


def derive(dataset, plan):
    """Add batch, temperature, floor and limit of each cell."""
    from experiments.contextual_embeddings.class_vectors import derived

    return derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="class-imbalance",
    summary="anisotropy with unequal classes against temperature: a floor when high, the simplex when low",
    regimes=(
        Regime(name="prior-0.7", summary="one class has prior 0.7, seven classes share the rest", quick=LARGE),
        Regime(name="prior-0.4", summary="the same with prior 0.4", quick=LARGE.replace(largest_prior=0.4)),
    ),
    phenomenon=CLASS_VECTORS,
    quick_time="10 s",
    paper_time="15 s",
    vary={
        "quick": {"temperature": (0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0)},
        "paper": {"temperature": (0.08, 0.1, 0.15, 0.2, 0.25, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 2.5, 2.75, 3.0, 5.0, 10.0)},
    },
    seeds={"quick": 3, "paper": 5},
    derive=derive,
    figures=("contextual_embeddings.class_imbalance",),
    talk=("contextual_embeddings.class_imbalance", "How anisotropic are unequal classes?"),
)
