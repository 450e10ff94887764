"""The arithmetic of a training step, counted from its shapes."""

from typing import NamedTuple

from experiments.feature_collapse.training_spec import WordSpec
from simlab.data.sources import FixedSample, Population
from simlab.validation import invalid

FLOAT_BYTES = 4


class StepCost(NamedTuple):
    """What a step must do at least, in float32.

    The matrix products are those of logits, classifier gradient and embedding gradient, each ``2 B (L d) K`` operations
    for batches of ``B``. The bytes are those of the weights, read and written once, and of the batch's word vectors,
    logits and their gradients, written and read once: what fits in a cache need not travel.

    Attributes:
        flops: of the three matrix products.
        bytes: as above.
        batch: sentences.
        width: ``L d``.
        classes: ``K``.
    """

    flops: int
    bytes: int
    batch: int
    width: int
    classes: int


def step_cost(spec: WordSpec) -> StepCost:
    """Return the cost of one step of one member, for a source with batches of a given size."""
    task, source = spec.task, spec.source
    if isinstance(source, Population):
        raise invalid("source", "one with batches", type(source).__name__)
    batch = source.examples_per_step if isinstance(source, FixedSample) else source.batch_size
    width, classes = task.sentence_length * spec.network.embedding_dim, task.n_classes
    weights = classes * width + task.n_words * spec.network.embedding_dim
    passing = 2 * batch * (width + classes)
    return StepCost(6 * batch * width * classes, 2 * FLOAT_BYTES * (weights + passing), batch, width, classes)
