"""Options of the experiments on deep linear networks."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option


@dataclass(frozen=True, kw_only=True)
class LinearConfiguration(Configuration):
    """The options of a run of a deep linear network."""

    items: str = option("tree", "items: tree, or animals-and-plants (8 items with their properties)", group=TASK)
    branching: int = option(2, "children per node of the tree, b", group=TASK)
    depth: int = option(3, "levels of the tree below its root, D; its b^D leaves are the items", group=TASK)
    n_layers: int = option(2, "linear layers, N", group=NETWORK)
    hidden_width: int = option(64, "width of the hidden layers", group=NETWORK)
    start: str = option(
        "random",
        "initial weights: random (small Gaussian), balanced, or aligned (balanced, in the task's directions)",
        group=NETWORK,
    )
    initial_scale: float = option(1e-3, "random start: standard deviation of the entries", group=TRAINING)
    initial_strength: float = option(
        1e-2, "balanced and aligned starts: singular values of the initial map", group=TRAINING
    )
    integrator: str = option(
        "runge-kutta", "descent (gradient descent) or runge-kutta (gradient flow, fourth order)", group=TRAINING
    )
    learning_rate: float = option(0.02, "learning rate of descent; time step of Runge-Kutta", group=TRAINING)
    n_steps: int = option(640, "training steps", group=TRAINING)
    n_records: int = option(
        80, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
    dtype: str = option("float64", "number format of weights and training: float32 or float64", group=TRAINING)
