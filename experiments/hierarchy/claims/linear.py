"""Claims on deep linear networks: closed forms over training and by layer, against Runge-Kutta integration."""

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
RICCATI = "Fukumizu 1998; Braun et al. 2022; re-derived here"
DERIVED = "derived here: theory/hierarchy/riccati.py"
LAW = "Saxe et al.; derived here: theory/hierarchy/deep_linear.py"
HALVED = "Richardson: change when the step is halved"
ROUNDING = 1e-12  # about 1e4 operations on float64 numbers of order one


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A trained deep linear network and its records.

    Args:
        configuration: options of the run.
    """

    configuration: LinearConfiguration

    def __str__(self) -> str:
        made = self.configuration
        size = made.initial_scale if made.start == "random" else made.initial_strength
        return f"N={made.n_layers} h={made.hidden_width} {made.start} {size:g}"

    @cached_property
    def levels(self) -> hierarchy.Levels:
        """The levels of the task's matrix."""
        return hierarchy.find_levels(make_training_spec(self.configuration).task.matrix())

    @cached_property
    def member(self) -> Member:
        """The member of seed 0."""
        spec = make_training_spec(self.configuration)
        return Member(spec, hyperparameters_by_name(spec.objective, self.configuration), 0)

    @cached_property
    def records(self) -> dict[str, np.ndarray]:
        """The recorded arrays by name."""
        (run,) = train_members([self.member], trajectories=True)
        return run.trajectory or {}

    @property
    def steps(self) -> np.ndarray:
        """The steps of the records, ``Int[R]``."""
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
        """The path of modes predicted from the initial weights."""
        return predict_course(self.member, self.records, self.steps, known=True)

    @cached_property
    def finer(self) -> "TrainedNetwork":
        """The same network trained with half the step, recorded at the same times."""
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
    """Check training curves from three kinds of starts, the order of levels, and the law of layers."""
    for network in ALIGNED:
        yield from _check_course(network, SAXE)
    yield from _check_course(BALANCED, RICCATI)
    yield must_exceed(
        f"{BALANCED}: error of decoupled sigmoids",
        RICCATI,
        _step_error(BALANCED, "strengths"),
        float(np.abs(BALANCED.path.decoupled - BALANCED.strengths).max()),
    )
    yield from _check_small_start()
    yield from _check_order()
    yield from _check_layers()


def _step_error(network: TrainedNetwork, name: str) -> float:
    """Return a bound on the error of the integration: 16/15 of the change on halving, for a fourth-order method.

    It is doubled to allow for higher orders, and rounding is added.
    """
    change = float(np.abs(getattr(network, name) - getattr(network.finer, name)).max())
    return 2 * 16 / 15 * change + ROUNDING * float(np.abs(getattr(network, name)).max()) * 10


def _check_course(network: TrainedNetwork, source: str) -> Iterator[Claim]:
    """Check the strengths of the map and of every layer over training."""
    pairs = {"strengths": network.path.strengths, "layers": network.path.layer_strengths}
    for name, predicted in pairs.items():
        label = {"strengths": "strengths of levels", "layers": "Gram matrices by layer"}[name]
        tolerance = _step_error(network, name)
        yield compare(f"{network}: {label} over training", source, predicted, getattr(network, name), tolerance, HALVED)


def _check_small_start() -> Iterator[Claim]:
    """Check that the error of the projected formula is of the order of the neglected part of the start."""
    errors = [float(np.abs(network.path.strengths - network.strengths).max()) for network in (RANDOM, LARGER)]
    # The neglected part of Q Q^T at the start, |(w_1 - w_2)/2|^2 of a mode, at most doubles in each of the two layers.
    neglected = float(np.abs(RANDOM.path.strengths[0] - RANDOM.strengths[0]).max())
    note = "four times the neglected part of the start"
    yield compare(
        f"{RANDOM}: strengths of levels over training",
        DERIVED,
        RANDOM.path.strengths,
        RANDOM.strengths,
        4 * neglected,
        note,
    )
    decoupled = float(np.abs(RANDOM.path.decoupled - RANDOM.strengths).max())
    yield must_exceed(f"{RANDOM}: error of decoupled sigmoids", DERIVED, 100 * errors[0], decoupled)
    yield must_exceed(
        f"{LARGER}: the error of the closed form grows with the initial scale", DERIVED, 10 * errors[0], errors[1]
    )


def _check_order() -> Iterator[Claim]:
    """Check the half times of levels: distinct with two layers, equal with one."""
    one, two = ALIGNED[0], ALIGNED[1]
    halves = {network: half_steps(network.steps, network.strengths, network.levels.values) for network in (one, two)}
    interval = two.steps[1]
    gaps = np.diff(halves[two])
    yield must_exceed(f"{two}: fewest steps between the half times of two levels", SAXE, interval, float(gaps.min()))
    spread = float(np.ptp(halves[one]))
    claim = f"{one}: steps between the first and the last half time"
    yield compare(claim, SAXE, 0.0, spread, float(interval), "one record: with one layer levels differ by a_0 only")


def _check_layers() -> Iterator[Claim]:
    """Check the exponents by layer, and that an unbalanced start deviates from them."""
    network, expected = BALANCED_DEEP, hierarchy.layer_exponents(3)
    slopes, finer = (
        layer_slopes(trained.levels.values, trained.strengths[-1], trained.layers[-1])
        for trained in (network, network.finer)
    )
    # Relative error of the map in its weakest mode, times the exponent (at most 2), over the range of log s.
    values, target = network.levels.values, network.member.spec.task.matrix()
    unlearned = float(np.linalg.norm(network.records["map"][-1] - target, 2) / values[-1])
    tolerance = 4 * unlearned / np.ptp(np.log(values)) + 2 * 16 / 15 * float(np.abs(slopes - finer).max()) + ROUNDING
    note = "unlearned remainder, plus the change when the step is halved"
    yield compare(f"{network}: exponents by layer", LAW, expected, slopes, tolerance, note)
    other = RANDOM_DEEP
    slopes = layer_slopes(other.levels.values, other.strengths[-1], other.layers[-1])
    worst = float(np.abs(slopes - expected).max())
    yield must_exceed(f"{other}: exponents minus 2l/N, unbalanced start", LAW, tolerance, worst)
