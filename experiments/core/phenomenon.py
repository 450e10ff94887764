"""What a phenomenon brings to the steps that all share: its choices, its specification, its theory, its comparison."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from experiments.core.quantity import Certificate, Quantity, Threshold

# Ends the names of the variables that are kept only when the user asks for weights at every record.
TRAJECTORY_SUFFIX = "_trajectory"


class Variable(NamedTuple):
    """A variable of the dataset: its own dimensions, what it is, its units ("1" is the CF convention for none)."""

    dims: tuple[str, ...]
    about: str
    units: str = "1"

    @property
    def attributes(self) -> dict[str, str]:
        """What the dataset says of it."""
        return {"long_name": self.about, "units": self.units}


class Comparison(NamedTuple):
    """How trained members are held against their prediction, and what is kept of both.

    Attributes:
        quantities: what is compared, by name.
        member_variables: what is known of each member.
        cell_variables: what all seeds of a configuration share; ``kind`` (what is predicted, in a word or two),
            ``basis`` (a theorem, an approximation, ...) and ``note`` (what else a reader of the table must know of the
            prediction, mostly nothing) are among them.
        cell_coordinates: of these, what labels a dimension.
        numbered: dimensions whose entries are numbered from 0.
        describe_member: ``(member, run, sample, prediction) -> arrays`` by the names of ``member_variables``.
        describe_cell: ``(spec, prediction) -> arrays`` by the names of the cell's variables and coordinates.
        caveats: ``prediction -> lines``, what keeps it from being a theorem.
        thresholds: the cell variables that are thresholds on an axis, by name.
        certificate: the member variables that bound the distance from the global minimum, or None.
        best_by: the quantity whose least value chooses the best seed of a cell, or None.
        axis_labels: what a reader calls an axis, with its unit, where its name and its field do not say it.
        arrays: the learned arrays of a standard comparison, by name; None for a comparison with variables of its own,
            which is not checked before training.
    """

    quantities: Mapping[str, Quantity]
    member_variables: Mapping[str, Variable]
    cell_variables: Mapping[str, Variable]
    cell_coordinates: Mapping[str, Variable]
    numbered: tuple[str, ...]
    describe_member: Callable
    describe_cell: Callable
    caveats: Callable
    thresholds: Mapping[str, Threshold] = MappingProxyType({})
    certificate: Certificate | None = None
    best_by: str | None = None
    axis_labels: Mapping[str, str] = MappingProxyType({})
    arrays: Mapping[str, Variable] | None = None


class Phenomenon(NamedTuple):
    """One phenomenon: functions that a sweep calls on the configurations of its kind.

    A phenomenon without ``make_training_spec`` is a measurement: nothing is trained, and the comparison is given a
    :class:`simlab.sweeps.measurements.Measurement` of each configuration and seed.

    Attributes:
        name: as datasets and messages know it.
        configuration: the dataclass of a user's choices.
        predict: ``configuration -> prediction``, such as :class:`experiments.core.prediction.Prediction`, or an object
            of the theory's own that the comparison understands.
        predict_all: ``configurations -> predictions``, where many are solved faster together than one by one; None
            calls ``predict`` for each.
        part_of: the name of the larger phenomenon under which reports list its runs; empty for its own name.
        load_comparison: ``() -> Comparison``; it is imported when there is something to compare.
        make_training_spec: ``configuration -> TrainingSpec``, or None for a measurement.
        make_hyperparameters: ``configuration -> Hyperparameters``, those of the specification's objective; None where
            each is the field of the configuration with its name.
        check_theory: raises ``ValueError`` for a configuration that theory cannot take; solves and imports nothing.
        keeps: of the named arrays of a member, those that its comparison needs: ``final``, ``initial`` (those before
            the first step too) or ``trajectory`` (those at every record).
        figures: of a run in which nothing varies, as modules of the package ``figures``.
    """

    name: str
    configuration: type
    predict: Callable
    load_comparison: Callable[[], Comparison]
    make_training_spec: Callable | None = None
    make_hyperparameters: Callable | None = None
    check_theory: Callable = lambda configuration: None
    keeps: str = "final"
    figures: tuple[str, ...] = ()
    predict_all: Callable[[Sequence], Sequence] | None = None
    part_of: str = ""

    @property
    def topic(self) -> str:
        """The name of the phenomenon under which reports list its runs."""
        return self.part_of or self.name


KEEPS = ("final", "initial", "trajectory")
