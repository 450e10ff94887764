"""The interface of a phenomenon: its configuration, training specification, theory and comparison."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from experiments.core.quantity import Certificate, Quantity, Threshold

# Suffix of variables that are saved only if weights are kept at every record.
TRAJECTORY_SUFFIX = "_trajectory"


class Variable(NamedTuple):
    """A variable of the dataset: dimensions beyond the sweep's axes, description, units (by CF, "1" for none)."""

    dims: tuple[str, ...]
    about: str
    units: str = "1"

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the variable in the dataset."""
        return {"long_name": self.about, "units": self.units}


class Comparison(NamedTuple):
    """How trained members are compared with their prediction, and which variables the dataset holds.

    Attributes:
        quantities: the compared quantities, by name.
        member_variables: the variables of each member, by name.
        cell_variables: the variables that all seeds of a configuration share, by name. Among them are ``kind`` (what is
            predicted, in a word or two), ``basis`` (a theorem, an approximation, ...) and ``note`` (a remark on the
            prediction for readers of the table; usually empty).
        cell_coordinates: the variables of a cell that label a dimension.
        numbered: dimensions whose entries are numbered from 0.
        describe_member: ``(member, run, sample, prediction) -> arrays`` by the names of ``member_variables``.
        describe_cell: ``(spec, prediction) -> arrays`` by the names of the cell's variables and coordinates.
        caveats: ``prediction -> lines``: the reasons why the prediction is not a theorem.
        thresholds: the cell variables that are thresholds on an axis, by name.
        certificate: the member variables that bound the distance from the global minimum, or None.
        best_by: the quantity whose smallest value selects the best seed of a cell, or None.
        axis_labels: labels of axes, with units, where neither the field's metadata nor its name gives one.
        arrays: the learned arrays of a standard comparison, by name; None for a comparison that defines its own
            variables, which is not checked before training.
        reads_sample: whether ``describe_member`` reads the training set of a member, which is drawn again for it.
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
    reads_sample: bool = True


class Phenomenon(NamedTuple):
    """One phenomenon: the functions that a sweep calls with its configurations.

    A phenomenon without ``make_training_spec`` is a measurement: nothing is trained, and the comparison is given a
    :class:`simlab.sweeps.measurements.Measurement` of each configuration and seed.

    Attributes:
        name: name in datasets and messages.
        configuration: the dataclass of the user's settings.
        predict: ``configuration -> prediction``, such as :class:`experiments.core.prediction.Prediction`, or another
            object that the comparison accepts.
        predict_all: ``configurations -> predictions``, where many are solved faster together than one by one; None
            calls ``predict`` for each.
        part_of: name of the larger phenomenon under which reports list its runs; empty for its own name.
        load_comparison: ``() -> Comparison``; imports the comparison when it is first needed.
        make_training_spec: ``configuration -> TrainingSpec``, or None for a measurement.
        make_hyperparameters: ``configuration -> Hyperparameters``, those of the specification's objective; None where
            each is the field of the configuration with its name.
        check_theory: raises ``ValueError`` for a configuration that theory does not cover, without solving or importing
            anything.
        keeps: which arrays of a member the comparison needs: ``final``, ``initial`` (also those before the first step)
            or ``trajectory`` (those at every record).
        figures: figures of a run without varied axes, as modules of the package ``figures``.
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
