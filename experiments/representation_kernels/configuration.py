"""What a user may set in the experiment on kernels of co-occurrence."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_count, check_real, invalid

ARCHITECTURES = ("free", "mlp")


@dataclass(frozen=True, kw_only=True)
class KernelConfiguration(Configuration):
    """All choices of a run on a world of co-occurrence."""

    events: int = option(12, "events on a ring, n", group=TASK)
    window: str = option("exponential", "within which events co-occur: exponential or gaussian", group=TASK)
    width: float = option(2.0, "of the window", unit="events", group=TASK)
    floor: float = option(0.05, "share of pairs that are drawn evenly from all, in [0, 1)", group=TASK)
    blocks: int = option(
        1,
        "events of a block, B, which the modality cannot tell apart; it divides n",
        group=TASK,
        label="events of a block",
    )
    partner_blocks: int | None = option(
        None, "the same of the other side of a pair, where that is another modality", group=TASK
    )
    encoders: int = option(1, "one for both sides of a pair, or 2", group=NETWORK)
    architecture: str = option(
        "free", "a free vector for each event: free; a perceptron that reads a random code of it: mlp", group=NETWORK
    )
    output_dim: int = option(12, "dimensions of the embedding, m", group=NETWORK)
    hidden_width: int = option(64, "mlp: of the hidden layer", group=NETWORK)
    code_dim: int | None = option(16, "mlp: dimensions of the codes; none for one-hot codes", group=NETWORK)
    temperature: float = option(1.0, "tau of the scores z.z'/tau", group=TRAINING)
    initial_scale: float = option(0.5, "root-mean-square length of the initial embeddings", group=TRAINING)
    optimizer: str = option("lbfgs", "an optax optimiser", group=TRAINING)
    n_steps: int = option(600, "training steps", group=TRAINING)
    n_records: int = option(20, "points of a training curve, at most (a divisor of the steps is taken)", group=TRAINING)
    dtype: str = option("float64", "of weights and training: float32 or float64", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for choices that are out of range or do not fit each other."""
        check_choice("architecture", self.architecture, ARCHITECTURES)
        check_real("temperature", self.temperature, positive=True)
        check_count("encoders", self.encoders, 1, 2)
        for name, block in (("blocks", self.blocks), ("partner_blocks", self.both_blocks[1])):
            if check_count("events", self.events, 3) % check_count(name, block) or block == self.events:
                raise invalid(name, f"a divisor of events={self.events} below it", block)
        if self.encoders == 1 and self.both_blocks[0] != self.both_blocks[1]:
            raise invalid("encoders", "2, as both sides of a pair do not show the same", self.encoders)

    @property
    def both_blocks(self) -> tuple[int, int]:
        """Events of a block of both sides of a pair."""
        return self.blocks, self.blocks if self.partner_blocks is None else self.partner_blocks
