"""Options of the measurement of untrained encoders by layer."""

from dataclasses import dataclass, fields
from typing import ClassVar

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.core.configuration import NETWORK, TASK, Configuration, option, option_of
from experiments.norm_and_variance.regimes import LARGE

_SHARED = ("depth", "norm", "activation", "positions", "initial_scale", "n_evaluation")


@dataclass(frozen=True, kw_only=True)
class UntrainedConfiguration(Configuration):
    """The options: an encoder with random weights and uniform attention, on sentences of 24 classes."""

    unused: ClassVar[tuple[str, ...]] = tuple(field.name for field in fields(Configuration))

    width: int = option(256, "dimension of the tokens, d", group=NETWORK)
    depth: int = option(6, "transformer blocks", group=NETWORK)
    norm: str = option_of(LanguageConfiguration, "norm")
    activation: str = option_of(LanguageConfiguration, "activation")
    positions: bool = option_of(LanguageConfiguration, "positions")
    initial_scale: float = option(0.3, "standard deviation of initial embeddings and positions", group=NETWORK)
    n_evaluation: int = option(96, "sentences on which tokens are measured", group=TASK)

    @property
    def language(self) -> LanguageConfiguration:
        """The network and language as the configuration of a training run."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return LARGE.replace(embedding_dim=self.width, n_heads=1, **shared)


def check(choices: UntrainedConfiguration) -> None:
    """Raise ``ValueError`` for an option out of range."""
    from experiments.contextual_embeddings.training_spec import make_training_spec

    make_training_spec(choices.language)
