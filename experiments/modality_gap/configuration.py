"""Options of the experiments on the modality gap."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_count, check_real, invalid

ENCODERS, STARTS = ("free", "towers"), ("symmetric", "cones")


@dataclass(frozen=True, kw_only=True)
class ModalityConfiguration(Configuration):
    """The options of a run on pairs of two modalities."""

    n_pairs: int = option(16, "pairs of an image and a text, N", group=TASK)
    mismatch: float = option(
        0.1, "share of texts that are paired with another image, eps", group=TASK, label="mismatch rate"
    )
    latent_dim: int = option(24, "towers: dimension of the latent that image and text share", group=TASK)
    image_dim: int = option(32, "input dimension of the image tower", group=TASK)
    text_dim: int = option(48, "input dimension of the text tower", group=TASK)
    encoder: str = option("free", "encoder: free (unit embeddings are parameters) or towers (two MLPs)", group=NETWORK)
    output_dim: int | None = option(
        None, "embedding dimension, at least N for free embeddings; none: 3 N/2", group=NETWORK
    )
    depth: int = option(2, "hidden ReLU layers of a tower", group=NETWORK)
    hidden_width: int = option(64, "width of a tower's hidden layers", group=NETWORK)
    start: str = option("symmetric", "start of free embeddings: symmetric or cones (two random cones)", group=TRAINING)
    initial_gap: float = option(1.0, "gap of the symmetric start, in [0, 2)", group=TRAINING)
    cone_spread: float = option(0.5, "rms norm of the noise added to the unit axis of a random cone", group=TRAINING)
    inverse_temperature: float = option(
        6.0, "inverse temperature beta; its initial value if it is learnable", group=TRAINING
    )
    temperature_ratio: float | None = option(
        None,
        "inverse temperature over its threshold; replaces inverse_temperature",
        group=TRAINING,
        label="inverse temperature over its threshold",
    )
    temperature_rate: float = option(
        0.0, "learning rate of log(beta) times N over that of the embeddings; 0 keeps beta fixed", group=TRAINING
    )
    clip: float | None = option(None, "upper bound on beta in training", group=TRAINING)
    clip_ratio: float | None = option(
        None, "upper bound on beta relative to its initial value; used without a clip", group=TRAINING
    )
    learning_rate: float = option(1.0, "learning rate; for sgd in units of N/beta", group=TRAINING)
    n_steps: int = option(4000, "training steps; 0: measure the initial network", group=TRAINING)
    n_records: int = option(
        40, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )

    def check(self) -> None:
        """Raise ``ValueError`` for options that are inconsistent; the message names the field."""
        from theory import modality_gap

        check_choice("encoder", self.encoder, ENCODERS)
        check_choice("start", self.start, STARTS)
        check_count("n_steps", self.n_steps, 0)
        critical = modality_gap.threshold(self.n_pairs, self.mismatch)
        if self.temperature_ratio is not None:
            check_real("temperature_ratio", self.temperature_ratio, positive=True)
            if self.mismatch == 0:
                wanted = "none without mismatch, where the threshold is infinite"
                raise invalid("temperature_ratio", wanted, self.temperature_ratio)
            check_real("threshold", critical, positive=True)
        if check_real("initial_gap", self.initial_gap) >= 2:
            raise invalid("initial_gap", "a number in [0, 2)", self.initial_gap)
        check_real("cone_spread", self.cone_spread, positive=True)
        check_real("temperature_rate", self.temperature_rate)
        if self.clip_ratio is not None and check_real("clip_ratio", self.clip_ratio, positive=True) < 1:
            raise invalid("clip_ratio", "at least 1, the initial ratio", self.clip_ratio)
        if self.clip is not None and check_real("clip", self.clip, positive=True) < self.beta and self.is_learnable:
            raise invalid("clip", f"at least the initial inverse temperature, {self.beta:g}", self.clip)

    @property
    def beta(self) -> float:
        """The initial inverse temperature."""
        if self.temperature_ratio is None:
            return check_real("inverse_temperature", self.inverse_temperature, positive=True)
        from theory import modality_gap

        return self.temperature_ratio * modality_gap.threshold(self.n_pairs, self.mismatch)

    @property
    def largest_beta(self) -> float | None:
        """The upper bound on the inverse temperature in training; None without a clip or with a fixed beta."""
        if not self.is_learnable:
            return None
        return self.beta * self.clip_ratio if self.clip is None and self.clip_ratio is not None else self.clip

    @property
    def dimension(self) -> int:
        """Embedding dimension."""
        return (3 * self.n_pairs + 1) // 2 if self.output_dim is None else self.output_dim

    @property
    def embedding_rate(self) -> float:
        """The learning rate of embeddings or towers."""
        rate = check_real("learning_rate", self.learning_rate, positive=True)
        return rate * self.n_pairs / self.beta if self.optimizer == "sgd" else rate

    @property
    def is_symmetric(self) -> bool:
        """Whether a run starts, and so remains, on the symmetric family."""
        return self.encoder == "free" and self.start == "symmetric"

    @property
    def is_learnable(self) -> bool:
        """Whether beta is trained."""
        return self.temperature_rate > 0
