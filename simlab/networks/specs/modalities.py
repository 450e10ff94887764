"""The specifications of encoders of two modalities."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import MOST_LAYERS, check_array
from simlab.tasks.paired.modality_pairs import ModalityPairs
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.networks.encoders.modalities import ModalityEncoder
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FreeModalities(Architecture[ModalityPairs]):
    """A free vector for each image and each text, :class:`simlab.networks.encoders.modalities.FreeModalities`.

    Args:
        output_dim: ``d``, at least the number of pairs, which the symmetric start requires.
    """

    output_dim: int

    def __post_init__(self):
        check_count("output_dim", self.output_dim)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has pairs without inputs and ``d >= N``."""
        task = _check_modalities(task)
        if task.latent_dim is not None:
            raise invalid("latent_dim", "None, as free embeddings read no inputs", task.latent_dim)
        if self.output_dim < task.n_pairs:
            wanted = f"at least n_pairs={task.n_pairs}, which the symmetric start and its branch need"
            raise invalid("output_dim", wanted, self.output_dim)
        check_array("embeddings", n_pairs=task.n_pairs, output_dim=self.output_dim)

    def width(self, task: ModalityPairs) -> int:
        """Return the numbers of a row of logits and of an embedding."""
        return task.n_pairs + self.output_dim

    def build(self, task: ModalityPairs, hyper, *, dtype, rngs: "nnx.Rngs") -> "ModalityEncoder":
        """Return the network with its initial embeddings."""
        from simlab.networks.encoders.modalities import FreeModalities as Network

        return Network(
            n_pairs=task.n_pairs,
            output_dim=self.output_dim,
            initial_gap=hyper.initial_gap,
            cone_spread=hyper.cone_spread,
            inverse_temperature=hyper.inverse_temperature,
            dtype=dtype,
            rngs=rngs,
        )


@dataclass(frozen=True, kw_only=True)
class TwoTowers(Architecture[ModalityPairs]):
    """A multi-layer perceptron for each modality, :class:`simlab.networks.encoders.modalities.TwoTowers`.

    Args:
        hidden_width: width of each hidden layer.
        depth: number of hidden layers; 0 for a linear map.
        output_dim: ``d``.
    """

    hidden_width: int
    depth: int
    output_dim: int

    def __post_init__(self):
        check_count("hidden_width", self.hidden_width)
        check_count("depth", self.depth, 0, MOST_LAYERS)
        check_count("output_dim", self.output_dim)
        if self.depth > 1:
            check_array("weights", hidden_width=self.hidden_width, columns=self.hidden_width)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has pairs with inputs."""
        task = _check_modalities(task)
        if task.latent_dim is None:
            raise invalid("latent_dim", "a number, as towers read inputs", None)

    def width(self, task: ModalityPairs) -> int:
        """Return the width of the widest layer, or of a row of logits if that is wider."""
        return max(task.n_pairs, task.image_dim, task.text_dim, self.hidden_width, self.output_dim)

    def build(self, task: ModalityPairs, hyper, *, dtype, rngs: "nnx.Rngs") -> "ModalityEncoder":
        """Return the network with its initial weights."""
        from simlab.networks.encoders.modalities import TwoTowers as Network

        return Network(
            image_dim=task.image_dim,
            text_dim=task.text_dim,
            hidden_width=self.hidden_width,
            depth=self.depth,
            output_dim=self.output_dim,
            inverse_temperature=hyper.inverse_temperature,
            dtype=dtype,
            rngs=rngs,
        )


def _check_modalities(task: "Task") -> ModalityPairs:
    """Return the task, or raise ``ValueError`` unless it has pairs of two modalities."""
    if not isinstance(task, ModalityPairs):
        raise invalid("network", "one that reads the examples of the task, not two modalities", type(task).__name__)
    return task
