"""What a user may set in an experiment on hidden manifolds."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_count, check_real, invalid

OBJECTIVES = ("spectral", "info-nce")
# InfoNCE of an encoder is measured by sums over the points, which are good to 1e-4 with so many for each kappa.
POINTS_PER_CONCENTRATION = 12


@dataclass(frozen=True, kw_only=True)
class ManifoldConfiguration(Configuration):
    """All choices of a run on a hidden manifold."""

    manifold: str = option("circle", "circle, torus or sphere", group=TASK)
    n_points: int = option(
        128, "evenly spread points: all there are (spectral), or those to measure on (info-nce)", group=TASK
    )
    width: float = option(
        0.5, "standard deviation of the angle of a pair, circle and torus", unit="radians", group=TASK
    )
    concentration: float = option(8.0, "kappa: partners on the sphere have the density exp(kappa z.z')", group=TASK)
    support: str = option(
        "full", "of partners on the sphere: full, or folded (mirrored back into the hemisphere)", group=TASK
    )
    observed_dim: int = option(10, "numbers of an observation, sin(B z + c)", group=TASK)
    frequency: float = option(2.0, "standard deviation of the entries of B", group=TASK)
    law_seed: int = option(0, "of the map to observations", group=TASK, label="map drawn")
    output_dim: int = option(5, "dimensions of the embedding, d", group=NETWORK)
    hidden_width: int = option(64, "units of each hidden layer", group=NETWORK)
    depth: int = option(2, "hidden layers", group=NETWORK)
    objective: str = option("spectral", "spectral (over all pairs), or info-nce (of unit embeddings)", group=TRAINING)
    temperature: float | None = option(None, "tau of InfoNCE; 1/kappa if not given", group=TRAINING)
    initial_scale: float = option(1.0, "factor on the initial last layer", group=TRAINING)
    batch_size: int = option(256, "pairs in a step of InfoNCE", group=TRAINING)
    optimizer: str = option("adam", "an optax optimiser; lbfgs with the spectral loss alone", group=TRAINING)
    learning_rate: float = option(6e-3, "learning rate", group=TRAINING)
    schedule: str = option(
        "cosine", "of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    n_steps: int = option(1000, "training steps", group=TRAINING)
    n_records: int = option(20, "points of a training curve, at most (a divisor of the steps is taken)", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for choices that do not fit each other."""
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
            raise invalid("output_dim", "at least 3, as the sphere has no room in fewer", self.output_dim)
        least = POINTS_PER_CONCENTRATION * check_real("concentration", self.concentration, positive=True)
        if check_count("n_points", self.n_points) < least:
            raise invalid("n_points", f"at least {POINTS_PER_CONCENTRATION} kappa = {least:g}", self.n_points)

    @property
    def scale(self) -> float:
        """The temperature, that given or the one that matches the law; 1 of the spectral loss, which has none."""
        if self.objective == "spectral":
            return 1.0
        return 1 / self.concentration if self.temperature is None else self.temperature
