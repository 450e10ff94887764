"""Options of the experiments on hidden manifolds."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_count, check_real, invalid

OBJECTIVES = ("spectral", "info-nce")
# Points per unit of kappa for which sums over points give the InfoNCE of an encoder to 1e-4.
POINTS_PER_CONCENTRATION = 12


@dataclass(frozen=True, kw_only=True)
class ManifoldConfiguration(Configuration):
    """The options of a run on a hidden manifold."""

    manifold: str = option("circle", "manifold: circle, torus or sphere", group=TASK)
    n_points: int = option(
        128, "evenly spread points: the data set (spectral) or the evaluation points (info-nce)", group=TASK
    )
    width: float = option(
        0.5, "circle and torus: standard deviation of the angle between partners", unit="radians", group=TASK
    )
    concentration: float = option(
        8.0, "sphere: kappa, partners have density proportional to exp(kappa z.z')", group=TASK
    )
    support: str = option(
        "full", "sphere: support of partners, full or folded (mirrored back into the hemisphere)", group=TASK
    )
    observed_dim: int = option(10, "dimension of the observations sin(B z + c)", group=TASK)
    frequency: float = option(2.0, "standard deviation of the entries of B", group=TASK)
    law_seed: int = option(0, "seed of the map to observations", group=TASK, label="map seed")
    output_dim: int = option(5, "embedding dimension, d", group=NETWORK)
    hidden_width: int = option(64, "width of the hidden layers", group=NETWORK)
    depth: int = option(2, "hidden layers", group=NETWORK)
    objective: str = option(
        "spectral", "objective: spectral (over all pairs) or info-nce (unit embeddings)", group=TRAINING
    )
    temperature: float | None = option(None, "temperature tau of InfoNCE; none: 1/kappa", group=TRAINING)
    initial_scale: float = option(1.0, "factor on the initial weights of the last layer", group=TRAINING)
    batch_size: int = option(256, "pairs per step of InfoNCE", group=TRAINING)
    optimizer: str = option("adam", "an optax optimiser; lbfgs with the spectral loss only", group=TRAINING)
    learning_rate: float = option(6e-3, "learning rate", group=TRAINING)
    schedule: str = option(
        "cosine", "schedule of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    n_steps: int = option(1000, "training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )

    def check(self) -> None:
        """Raise ``ValueError`` for options that are inconsistent."""
        check_choice("objective", self.objective, OBJECTIVES)
        if self.objective == "spectral":
            if self.temperature is not None:
                raise invalid("temperature", "none with the spectral loss", self.temperature)
            return
        if self.temperature is not None:
            check_real("temperature", self.temperature, positive=True)
        if self.manifold != "sphere":
            raise invalid("manifold", "sphere with InfoNCE of unit embeddings", self.manifold)
        if check_count("output_dim", self.output_dim) < 3:
            raise invalid("output_dim", "at least 3, the dimension of the sphere's space", self.output_dim)
        least = POINTS_PER_CONCENTRATION * check_real("concentration", self.concentration, positive=True)
        if check_count("n_points", self.n_points) < least:
            raise invalid("n_points", f"at least {POINTS_PER_CONCENTRATION} kappa = {least:g}", self.n_points)

    @property
    def scale(self) -> float:
        """The temperature, given or matched to the law (1/kappa); 1 for the spectral loss, which has none."""
        if self.objective == "spectral":
            return 1.0
        return 1 / self.concentration if self.temperature is None else self.temperature
