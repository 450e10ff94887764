"""Deep linear networks: closed forms over training and by layer, against weights trained by Runge-Kutta steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from experiments.core.training_choices import hyperparameters_by_name
from experiments.hierarchy.linear_comparison import half_steps, layer_slopes, predict_course
from experiments.hierarchy.linear_configuration import LinearConfiguration
from experiments.hierarchy.linear_training_spec import make_training_spec
from experiments.verification.claim import Claim, compare, must_exceed
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from theory import hierarchy

SAXE = "Saxe et al., arXiv 1312.6120"
RICCATI = "Fukumizu 1998; Braun et al. 2022; derived again here"
DERIVED = "derived here: theory/hierarchy/riccati.py"
LAW = "Saxe et al.; derived here: theory/hierarchy/deep_linear.py"
HALVED = "Richardson: the change on halving the step"
ROUNDING = 1e-12  # some 1e4 operations on float64 numbers of order one


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A deep linear network and its records.

    Args:
        configuration: all choices.
    """

    configuration: LinearConfiguration

    def __str__(self) -> str:
        made = self.configuration
        size = made.initial_scale if made.start == "random" else made.initial_strength
        return f"N={made.n_layers} h={made.hidden_width} {made.start} {size:g}"

    @cached_property
    def levels(self) -> hierarchy.Levels:
        """The levels of the task."""
        return hierarchy.find_levels(make_training_spec(self.configuration).task.matrix())

    @cached_property
    def member(self) -> Member:
        """The member of seed 0."""
        spec = make_training_spec(self.configuration)
        return Member(spec, hyperparameters_by_name(spec.objective, self.configuration), 0)

    @cached_property
    def records(self) -> dict[str, np.ndarray]:
        """The named arrays at each record."""
        (run,) = train_members([self.member], trajectories=True)
        return run.trajectory or {}

    @property
    def steps(self) -> np.ndarray:
        """The steps of the records."""
        return self.member.spec.record_steps

    @property
    def strengths(self) -> np.ndarray:
        """Learned strengths, ``Float[R, levels]``."""
        return self.levels.strengths(self.records["map"])

    @property
    def layers(self) -> np.ndarray:
        """Learned strengths of the Gram matrix of each layer, ``Float[R, N, levels]``."""
        return self.levels.gram_strengths(self.records["grams"])

    @cached_property
    def path(self) -> hierarchy.ModePath:
        """The course predicted from its own start."""
        return predict_course(self.member, self.records, self.steps, known=True)

    @cached_property
    def finer(self) -> "TrainedNetwork":
        """The same network with steps of half the length, recorded at the same times."""
        made = self.configuration
        return TrainedNetwork(
            configuration=made.replace(learning_rate=made.learning_rate / 2, n_steps=2 * made.n_steps)
        )


TREE = LinearConfiguration(n_records=80, n_steps=640, hidden_width=32)
ALIGNED = tuple(
    TrainedNetwork(configuration=TREE.replace(start="aligned", n_layers=n_layers, initial_strength=0.05))
    for n_layers in (1, 2, 3)
)
BALANCED = TrainedNetwork(configuration=TREE.replace(start="balanced"))
RANDOM = TrainedNetwork(configuration=TREE.replace(hidden_width=64))
LARGER = TrainedNetwork(configuration=TREE.replace(hidden_width=64, initial_scale=1e-2))
DEEP = TREE.replace(n_layers=3, learning_rate=0.01, n_steps=1600, initial_strength=0.1)
BALANCED_DEEP = TrainedNetwork(configuration=DEEP.replace(start="balanced"))
RANDOM_DEEP = TrainedNetwork(configuration=DEEP.replace(start="random", initial_scale=0.05))


def check_linear() -> Iterator[Claim]:
    """Check the course of training from three kinds of starts, the order of levels, and the law of layers."""
    for network in ALIGNED:
        yield from _check_course(network, SAXE)
    yield from _check_course(BALANCED, RICCATI)
    yield must_exceed(
        f"{BALANCED}: error of a sigmoid for each mode alone",
        RICCATI,
        _step_error(BALANCED, "strengths"),
        float(np.abs(BALANCED.path.decoupled - BALANCED.strengths).max()),
    )
    yield from _check_small_start()
    yield from _check_order()
    yield from _check_layers()


def _step_error(network: TrainedNetwork, name: str) -> float:
    """Return how far training is from gradient flow: for an error of fourth order, 16/15 of the change on halving.

    Twice that allows for steps that are not small, and rounding is added.
    """
    change = float(np.abs(getattr(network, name) - getattr(network.finer, name)).max())
    return 2 * 16 / 15 * change + ROUNDING * float(np.abs(getattr(network, name)).max()) * 10


def _check_course(network: TrainedNetwork, source: str) -> Iterator[Claim]:
    """Check strengths, and those of every layer, over training."""
    pairs = {"strengths": network.path.strengths, "layers": network.path.layer_strengths}
    for name, predicted in pairs.items():
        label = {"strengths": "strength of levels", "layers": "Gram matrices by layer"}[name]
        tolerance = _step_error(network, name)
        yield compare(f"{network}: {label} over training", source, predicted, getattr(network, name), tolerance, HALVED)


def _check_small_start() -> Iterator[Claim]:
    """Check the projected formula: within the part of the start that it leaves out, far closer than decoupled modes."""
    errors = [float(np.abs(one.path.strengths - one.strengths).max()) for one in (RANDOM, LARGER)]
    # What is left out of Q Q^T at the start, |(w_1 - w_2)/2|^2 of a mode, at most doubled by each of the two layers.
    left_out = float(np.abs(RANDOM.path.strengths[0] - RANDOM.strengths[0]).max())
    note = "four times the part of the start that is left out"
    yield compare(
        f"{RANDOM}: strength of levels over training",
        DERIVED,
        RANDOM.path.strengths,
        RANDOM.strengths,
        4 * left_out,
        note,
    )
    decoupled = float(np.abs(RANDOM.path.decoupled - RANDOM.strengths).max())
    yield must_exceed(f"{RANDOM}: error of a sigmoid for each mode alone", DERIVED, 100 * errors[0], decoupled)
    yield must_exceed(
        f"{LARGER}: the error of the closed form grows with the start", DERIVED, 10 * errors[0], errors[1]
    )


def _check_order() -> Iterator[Claim]:
    """Check when levels are half learned: in turn with two layers, all at once with one."""
    one, two = ALIGNED[0], ALIGNED[1]
    halves = {network: half_steps(network.steps, network.strengths, network.levels.values) for network in (one, two)}
    interval = two.steps[1]
    gaps = np.diff(halves[two])
    yield must_exceed(f"{two}: steps between the learning of two levels, the fewest", SAXE, interval, float(gaps.min()))
    spread = float(np.ptp(halves[one]))
    claim = f"{one}: steps from the first level half learned to the last one"
    yield compare(claim, SAXE, 0.0, spread, float(interval), "one record: levels of one layer differ by a_0 alone")


def _check_layers() -> Iterator[Claim]:
    """Check the exponents by layer, and that a start without balance departs from them."""
    network, expected = BALANCED_DEEP, hierarchy.layer_exponents(3)
    slopes, finer = (
        layer_slopes(one.levels.values, one.strengths[-1], one.layers[-1]) for one in (network, network.finer)
    )
    # A relative error of the map in its weakest mode, times the exponent, at most 2, over the range of log s.
    values, target = network.levels.values, network.member.spec.task.matrix()
    missing = float(np.linalg.norm(network.records["map"][-1] - target, 2) / values[-1])
    tolerance = 4 * missing / np.ptp(np.log(values)) + 2 * 16 / 15 * float(np.abs(slopes - finer).max()) + ROUNDING
    note = "what is not yet learned, and the change on halving the step"
    yield compare(f"{network}: exponents by layer", LAW, expected, slopes, tolerance, note)
    other = RANDOM_DEEP
    slopes = layer_slopes(other.levels.values, other.strengths[-1], other.layers[-1])
    worst = float(np.abs(slopes - expected).max())
    yield must_exceed(f"{other}: exponents of a start that is not balanced, less 2l/N", LAW, tolerance, worst)
