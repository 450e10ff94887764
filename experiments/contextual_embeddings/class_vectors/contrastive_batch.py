"""Does the batch size change the minimum of contrastive learning? Loss and class vectors, with and without collisions.

With equally likely classes it changes only the loss: the class vectors form a simplex at every batch size and
temperature, even where a batch contains several sentences of one class.
"""

from experiments.contextual_embeddings.class_vectors.configuration import ClassConfiguration
from experiments.contextual_embeddings.class_vectors.phenomenon import CLASS_VECTORS
from experiments.core.experiment import Experiment, Regime

DISTINCT = ClassConfiguration(n_classes=6, dim=8, batch_size=6, n_steps=100)
COLLIDING = ClassConfiguration(n_classes=6, dim=8, batch_size=6, n_steps=100, repeats_classes=True)
DRAWN = COLLIDING.replace(
    negatives="batch",
    batches_per_step=64,
    optimizer="sgd",
    schedule="cosine",
    learning_rate=1.0,
    n_steps=1000,
    dtype="float32",
)


def derive(dataset, plan):
    """Add batch, temperature, floor and limit of each cell."""
    from experiments.contextual_embeddings.class_vectors import derived

    return derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="contrastive-batch",
    summary="the minimum loss depends on batch size, the class vectors do not, even with class collisions",
    regimes=(
        Regime(name="distinct", summary="all classes of a batch differ", quick=DISTINCT),
        Regime(name="colliding", summary="classes drawn independently", quick=COLLIDING),
        Regime(
            name="drawn",
            summary="the same with 64 batches drawn at each step",
            quick=DRAWN,
            paper=DRAWN.replace(n_steps=6000),
        ),
    ),
    phenomenon=CLASS_VECTORS,
    quick_time="20 s",
    paper_time="70 s",
    vary={
        "quick": {"batch_size": (2, 4, 6), "temperature": (0.2, 0.5, 1.0)},
        "paper": {"batch_size": (2, 3, 4, 5, 6), "temperature": (0.2, 0.5, 1.0, 2.0)},
    },
    seeds={"quick": 3, "paper": 5},
    derive=derive,
    figures=("contextual_embeddings.contrastive_batch",),
    talk=("contextual_embeddings.contrastive_batch", "Does the batch size change what is learned?"),
)
