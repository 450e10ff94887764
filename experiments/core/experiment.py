"""An experiment: one or more regimes, each trained, predicted and compared, swept over named axes."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from numbers import Integral
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from experiments.core.axes import MOST_MEMBERS, Axis, check_sweep_size, make_axes, overlaps, vary
from experiments.core.configuration import Configuration
from experiments.core.phenomenon import KEEPS, Phenomenon
from experiments.core.training_choices import check_float32, hyperparameters_by_name
from simlab import __version__
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS, TrainingSpec
from simlab.validation import check_choice, check_count, check_seeds, invalid

ConfigurationT = TypeVar("ConfigurationT", bound=Configuration)
SpecT = TypeVar("SpecT", bound=TrainingSpec | None)
HyperparametersT = TypeVar("HyperparametersT")


class Regime(NamedTuple):
    """One setting of the task, in two sizes.

    Attributes:
        name: as typed on the command line.
        summary: one line for ``simlab list``.
        quick: a size that a laptop trains in about a minute.
        paper: the size of the paper; None if it is that of ``quick``.
    """

    name: str
    summary: str
    quick: Configuration
    paper: Configuration | None = None

    def configuration(self, preset: str) -> Configuration:
        """Return the configuration of a preset, ``quick`` or ``paper``."""
        return self.quick if preset == "quick" or self.paper is None else self.paper


class Experiment(NamedTuple):
    """What ``simlab run NAME`` runs.

    Attributes:
        name: as typed on the command line.
        summary: one line for ``simlab list``.
        regimes: at least one.
        phenomenon: the phenomenon of all its regimes.
        quick_time: run time of ``simlab run NAME`` on two cores, compilation and all seeds of the preset included, as
            text; ``"2 min (1 seed)"`` where fewer seeds were timed than the preset has; empty if not measured.
        paper_time: run time of ``simlab run NAME --preset paper``, likewise. Some were measured beside other work and
            are upper bounds.
        vary: default axes of each preset, values by name.
        seeds: default number of seeds of each preset; 1 for a preset that is absent.
        trajectories: whether weights are always kept at every record, even if the user does not request them.
        derive: ``(dataset, plan) -> dataset``; adds variables that only this experiment predicts or measures.
        check: ``plan -> None``; raises ``ValueError`` for a sweep that cannot answer the experiment's question, before
            anything is computed.
        figures: figures in addition to those of the phenomenon: modules of the package ``figures``, or functions of a
            dataset that return a matplotlib figure, which are drawn after a run under their own names.
        talk: the module of the figure whose panel represents the experiment on the overview page of ``simlab plot``,
            and the question above the panel.
        needs: fields of the configuration that have no default and that a run requires.
        registered: whether the experiment is registered in simlab, so that tests hold it to the contract of a
            phenomenon. Others are rehearsed before training, see :mod:`experiments.core.rehearsal`.
    """

    name: str
    summary: str
    regimes: tuple[Regime, ...]
    phenomenon: Phenomenon
    quick_time: str = ""
    paper_time: str = ""
    vary: Mapping[str, Mapping[str, Iterable]] = MappingProxyType({})
    seeds: Mapping[str, int] = MappingProxyType({})
    trajectories: bool = False
    derive: Callable | None = None
    figures: tuple[str | Callable, ...] = ()
    talk: tuple[str, str] | None = None
    check: Callable[["Plan"], None] = lambda plan: None
    needs: tuple[str, ...] = ()
    registered: bool = False

    def configurations(self, preset: str, overrides: Mapping[str, object]) -> dict[str, Configuration]:
        """Return the configuration of each regime, with the user's changes.

        Args:
            preset: ``quick`` or ``paper``.
            overrides: fields of :class:`Configuration`, or aliases, with their new values.
        """
        return {regime.name: regime.configuration(preset).replace(**overrides) for regime in self.regimes}

    def axes(
        self, preset: str, overrides: Mapping[str, object], asked: Mapping[str, Iterable] | Sequence[Axis] = ()
    ) -> tuple[Axis, ...]:
        """Return the axes of a sweep: default axes that the user neither varies nor fixes, then the requested ones."""
        kind = self.phenomenon.configuration
        axes = make_axes(asked, kind, overrides)
        taken = {*overrides, *(axis.name for axis in axes)}
        own = [axis for axis in make_axes(self.vary.get(preset, {}), kind) if not overlaps(axis.name, kind, taken)]
        return (*own, *axes)

    def plan(
        self,
        preset: str,
        overrides: Mapping[str, object],
        seeds: int | Iterable[int] | None = None,
        axes: Mapping[str, Iterable] | Sequence[Axis] = (),
        *,
        trajectories: bool = False,
    ) -> "Plan":
        """Return the checked sweep of this experiment with the user's choices.

        The arguments are those of :meth:`configurations`, :func:`experiments.core.axes.make_axes` and
        :func:`make_plan`. A default axis is kept unless the user varies or fixes a field that it sets.

        Raises:
            ValueError: a choice is out of range, or two choices conflict.
        """
        check_choice("preset", preset, ("quick", "paper"))
        asked = make_axes(axes, self.phenomenon.configuration, overrides)
        varied, configurations = self.axes(preset, overrides, asked), self.configurations(preset, overrides)
        seeds = list_seeds(self.seeds.get(preset, 1) if seeds is None else seeds)
        kept = trajectories or self.trajectories
        plan = make_plan(self.name, self.phenomenon, configurations, seeds, varied, trajectories=kept)
        if "learning_rate" in {*overrides, *(axis.name for axis in asked)}:
            _check_learning_rate(plan, is_axis="learning_rate" not in overrides)
        self.check(plan)
        return plan._replace(derive=self.derive, figures=self.figures, talk=self.talk, registered=self.registered)


@dataclass(frozen=True, kw_only=True)
class Cell(Generic[ConfigurationT, SpecT, HyperparametersT]):
    """One point of a sweep, shared by its seeds.

    Args:
        phenomenon: the phenomenon.
        regime: the name of its regime.
        configuration: all settings.
        spec: the static part of training; None for a measurement.
        hyperparameters: the traced part of training; None for a measurement.
    """

    phenomenon: Phenomenon
    regime: str
    configuration: ConfigurationT
    spec: SpecT
    hyperparameters: HyperparametersT

    @cached_property
    def prediction(self):
        """The prediction for this cell, as returned by the phenomenon; computed on first access."""
        return self.phenomenon.predict(self.configuration)


class Plan(NamedTuple):
    """A checked sweep, ready to run.

    Attributes:
        name: name of the experiment.
        phenomenon: its phenomenon.
        configurations: the configuration of each regime, before the axes vary it.
        axes: the varied axes, the same in each regime.
        seeds: the seeds of the members of each cell.
        trajectories: whether weights are kept at every record.
        cells: regime by regime, the last axis fastest.
        derive, figures, talk, registered: as in :class:`Experiment`.
        ladder: the axis along which the rate of convergence is fitted, see :mod:`experiments.ladder`; usually None.
    """

    name: str
    phenomenon: Phenomenon
    configurations: dict[str, Configuration]
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    trajectories: bool
    cells: tuple[Cell, ...]
    derive: Callable | None = None
    figures: tuple[str | Callable, ...] = ()
    talk: tuple[str, str] | None = None
    registered: bool = False
    ladder: str | None = None

    def predict(self) -> list:
        """Return the prediction of each cell; cells that share a solver are solved together.

        Raises:
            ArithmeticError: a solver did not converge.
        """
        unsolved = [cell for cell in self.cells if "prediction" not in vars(cell)]
        if unsolved and self.phenomenon.predict_all is not None:
            predictions = self.phenomenon.predict_all([cell.configuration for cell in unsolved])
            for cell, prediction in zip(unsolved, predictions, strict=True):
                vars(cell)["prediction"] = prediction  # what the cached property would hold
        return [cell.prediction for cell in self.cells]

    def describe(self) -> dict[str, object]:
        """Return a definition of the sweep that JSON can hold; equal definitions mean equal sweeps."""
        return {
            "experiment": self.name,
            "configuration": {name: dataclasses.asdict(record) for name, record in self.configurations.items()},
            "axes": {axis.name: list(axis.values) for axis in self.axes},
            "seeds": list(self.seeds),
            "trajectories": self.trajectories,
            **({} if self.ladder is None else {"ladder": self.ladder}),
        }


def make_plan(
    name: str,
    phenomenon: Phenomenon,
    configurations: Mapping[str, Configuration],
    seeds: Sequence[int],
    axes: Sequence[Axis] = (),
    *,
    trajectories: bool = False,
) -> Plan:
    """Return a plan after all checks that need no computation; neither JAX nor SciPy is imported.

    Args:
        name: name of the experiment.
        phenomenon: its phenomenon.
        configurations: one per regime, by name.
        seeds: the seeds of the members, the same for each cell.
        axes: the varied axes.
        trajectories: whether weights are kept at every record.

    Raises:
        ValueError: a configuration is out of range; the message names the field.
    """
    check_choice("phenomenon keeps", phenomenon.keeps, KEEPS)
    axes = make_axes(axes, phenomenon.configuration)
    check_sweep_size(len(configurations), axes, len(seeds))
    points = [(regime, point) for regime, start in configurations.items() for point in vary(start, axes)]
    for _, point in points:
        phenomenon.check_theory(point)
    cells = tuple(_make_cell(phenomenon, regime, point) for regime, point in points)
    return Plan(name, phenomenon, dict(configurations), axes, tuple(check_seeds(seeds)), trajectories, cells)


def _check_learning_rate(plan: "Plan", *, is_axis: bool) -> None:
    """Raise ``ValueError`` if a learning rate is set or varied without effect, because the optimiser searches it."""
    without = [
        cell.spec is not None and all(stage.optimizer in LINE_SEARCH_OPTIMIZERS for stage in cell.spec.stages)
        for cell in plan.cells
    ]
    if all(without) or (is_axis and any(without)):
        cell = plan.cells[without.index(True)]
        wanted = f"none, as optimizer={cell.configuration.optimizer} has no learning rate"
        raise invalid("learning_rate", wanted, cell.configuration.learning_rate)


def list_seeds(seeds: int | Iterable[int]) -> Sequence[int]:
    """Return the seeds: 0, 1, ... for a number of seeds, or the listed ones.

    Raises:
        ValueError: it is neither a number of seeds nor a list, or there are too many.
    """
    if isinstance(seeds, Integral):
        return range(check_count("seeds", seeds, 1, MOST_MEMBERS))
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise invalid("seeds", "a whole number or a list of them", seeds)
    return seeds if isinstance(seeds, range) else list(seeds)


def _make_cell(phenomenon: Phenomenon, regime: str, configuration: Configuration) -> Cell:
    """Return the cell of a configuration, with its training run if there is one."""
    if phenomenon.make_training_spec is None:
        return Cell(phenomenon=phenomenon, regime=regime, configuration=configuration, spec=None, hyperparameters=None)
    spec = phenomenon.make_training_spec(configuration)
    make = phenomenon.make_hyperparameters or partial(hyperparameters_by_name, spec.objective)
    hyperparameters = make(configuration)
    if spec.dtype == "float32":
        for name, value in hyperparameters._asdict().items():
            check_float32(name, value)
        check_float32("until", spec.until_gradient_norm)
    return Cell(
        phenomenon=phenomenon,
        regime=regime,
        configuration=configuration,
        spec=spec,
        hyperparameters=hyperparameters,
    )


def plan_from_description(description: Mapping[str, Any], experiment: Experiment, written_by: str = "unknown") -> Plan:
    """Return the plan of a saved description.

    Args:
        description: as returned by :meth:`Plan.describe`.
        experiment: the experiment with the described name.
        written_by: the version of simlab that saved the description.

    Raises:
        ValueError: another version saved it, and this version lacks one of its fields or cannot run it.
    """
    phenomenon = experiment.phenomenon
    known = {field.name for field in dataclasses.fields(phenomenon.configuration)}
    unknown = [name for fields in description["configuration"].values() for name in fields if name not in known]
    if unknown:
        versions = f"of simlab {__version__}, as the run was written by simlab {written_by}"
        raise ValueError(f"configuration: expected fields {versions}, got {unknown[0]!r}")
    configurations = {
        name: phenomenon.configuration(**{key: _frozen(value) for key, value in fields.items()})
        for name, fields in description["configuration"].items()
    }
    axes = {name: [_frozen(value) for value in values] for name, values in description["axes"].items()}
    plan = make_plan(
        experiment.name,
        phenomenon,
        configurations,
        description["seeds"],
        make_axes(axes, phenomenon.configuration),
        trajectories=description["trajectories"],
    )
    return plan._replace(
        derive=experiment.derive,
        figures=experiment.figures,
        talk=experiment.talk,
        registered=experiment.registered,
    )


def _frozen(value):
    return tuple(value) if isinstance(value, list) else value
