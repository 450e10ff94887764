"""Options of the experiment on kernels of co-occurrence."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_count, check_real, invalid

ARCHITECTURES = ("free", "mlp")


@dataclass(frozen=True, kw_only=True)
class KernelConfiguration(Configuration):
    """The options of a run on a world of co-occurrence."""

    events: int = option(12, "number of events on a ring, n", group=TASK)
    window: str = option("exponential", "co-occurrence window: exponential or gaussian", group=TASK)
    width: float = option(2.0, "width of the window", unit="events", group=TASK)
    floor: float = option(0.05, "share of pairs drawn uniformly from all events, in [0, 1)", group=TASK)
    blocks: int = option(
        1,
        "events per block, B, that the modality cannot distinguish; a divisor of n",
        group=TASK,
        label="events per block",
    )
    partner_blocks: int | None = option(
        None, "events per block on the other side of a pair; none: the same", group=TASK
    )
    encoders: int = option(1, "encoders: 1 for both sides of a pair, or 2", group=NETWORK)
    architecture: str = option(
        "free", "encoder: free (one vector per event) or mlp (reads a random code of each event)", group=NETWORK
    )
    output_dim: int = option(12, "embedding dimension, m", group=NETWORK)
    hidden_width: int = option(64, "mlp: width of the hidden layer", group=NETWORK)
    code_dim: int | None = option(16, "mlp: dimension of the codes; none: one-hot codes", group=NETWORK)
    temperature: float = option(1.0, "temperature tau of the scores z.z'/tau", group=TRAINING)
    initial_scale: float = option(0.5, "root-mean-square length of the initial embeddings", group=TRAINING)
    optimizer: str = option("lbfgs", "an optax optimiser", group=TRAINING)
    n_steps: int = option(600, "training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
    dtype: str = option("float64", "number format of weights and training: float32 or float64", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for options that are out of range or inconsistent."""
        check_choice("architecture", self.architecture, ARCHITECTURES)
        check_real("temperature", self.temperature, positive=True)
        check_count("encoders", self.encoders, 1, 2)
        for name, block in (("blocks", self.blocks), ("partner_blocks", self.both_blocks[1])):
            if check_count("events", self.events, 3) % check_count(name, block) or block == self.events:
                raise invalid(name, f"a divisor of events={self.events} below it", block)
        if self.encoders == 1 and self.both_blocks[0] != self.both_blocks[1]:
            raise invalid("encoders", "2: the two sides of a pair have different blocks", self.encoders)

    @property
    def both_blocks(self) -> tuple[int, int]:
        """Events per block on the two sides of a pair."""
        return self.blocks, self.blocks if self.partner_blocks is None else self.partner_blocks
