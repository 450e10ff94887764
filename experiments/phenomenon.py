"""What a phenomenon brings to the steps that all share: its choices, its specification, its theory, its comparison."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

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
        quantities: label and unit of each compared quantity, by name.
        compared: the quantities with a column in the table of a sweep.
        member_variables: what is known of each member.
        cell_variables: what all seeds of a configuration share; ``kind`` (what is predicted, in a word or two) and
            ``basis`` (a theorem, an approximation, ...) are among them.
        cell_coordinates: of these, what labels a dimension.
        numbered: dimensions whose entries are numbered from 0.
        describe_member: ``(member, run, sample, prediction) -> arrays`` by the names of ``member_variables``.
        describe_cell: ``(spec, prediction) -> arrays`` by the names of the cell's variables and coordinates.
        caveats: ``prediction -> lines``, what keeps it from being a theorem.
    """

    quantities: Mapping[str, tuple[str, str]]
    compared: tuple[str, ...]
    member_variables: Mapping[str, Variable]
    cell_variables: Mapping[str, Variable]
    cell_coordinates: Mapping[str, Variable]
    numbered: tuple[str, ...]
    describe_member: Callable
    describe_cell: Callable
    caveats: Callable


class Phenomenon(NamedTuple):
    """One phenomenon: functions that a sweep calls on the configurations of its kind.

    Attributes:
        name: as figures know it.
        configuration: the dataclass of a user's choices.
        check_theory: raises ``ValueError`` for a configuration that theory cannot take; solves and imports nothing.
        make_training_spec: ``configuration -> TrainingSpec``.
        make_hyperparameters: ``configuration -> Hyperparameters``.
        predict: ``configuration -> prediction``, an object of the theory's own.
        load_comparison: ``() -> Comparison``; it is imported when there is something to compare.
        keeps_path: whether members are described by their weights at every record, not by the last ones alone.
    """

    name: str
    configuration: type
    check_theory: Callable
    make_training_spec: Callable
    make_hyperparameters: Callable
    predict: Callable
    load_comparison: Callable[[], Comparison]
    keeps_path: bool = False
