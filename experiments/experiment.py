"""An experiment: one or more regimes, each trained, predicted and compared, swept over named axes."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from experiments.axes import Axis, make_axes, vary
from experiments.configuration import Configuration
from experiments.training_spec import make_hyperparameters, make_training_spec
from simlab.spec import Hyperparameters, TrainingSpec
from simlab.validation import check_choice, check_real, check_seeds
from theory.collapse_task import check_task


class Regime(NamedTuple):
    """One setting of the task, in two sizes.

    Attributes:
        name: as typed on the command line.
        summary: one line for ``simlab list``.
        quick: a size for a laptop's minute.
        paper: the size of the paper.
    """

    name: str
    summary: str
    quick: Configuration
    paper: Configuration


class Experiment(NamedTuple):
    """What ``simlab run NAME`` runs.

    Attributes:
        name: as typed on the command line.
        summary: one line for ``simlab list``.
        regimes: at least one.
        quick_time: of the quick preset on two cores, with compilation, in words.
        paper_time: of one seed of the paper preset on two cores, in words.
    """

    name: str
    summary: str
    regimes: tuple[Regime, ...]
    quick_time: str
    paper_time: str

    def configurations(
        self, preset: str, overrides: Mapping[str, object], *, weight_decay: float | None = None
    ) -> dict[str, Configuration]:
        """Return the configuration of each regime, with the user's changes.

        Args:
            preset: ``quick`` or ``paper``.
            overrides: fields of :class:`Configuration` with their new values.
            weight_decay: replaces ``lam_W`` and ``lam_U`` wherever they are not zero; ``overrides`` go before it.
        """
        chosen = {regime.name: getattr(regime, preset) for regime in self.regimes}
        if weight_decay is not None:
            chosen = {name: one.with_weight_decay(weight_decay) for name, one in chosen.items()}
        return {name: one.replace(**overrides) for name, one in chosen.items()}

    def plan(
        self,
        preset: str,
        overrides: Mapping[str, object],
        seeds: Sequence[int],
        axes: Mapping[str, Iterable] | Sequence[Axis] = (),
        *,
        weight_decay: float | None = None,
        trajectories: bool = False,
    ) -> "Plan":
        """Return the checked sweep that a user's choices make of this experiment.

        The arguments are those of :meth:`configurations`, :func:`experiments.axes.make_axes` and :func:`make_plan`.

        Raises:
            ValueError: a choice is out of range, or two of them clash.
        """
        check_choice("preset", preset, ("quick", "paper"))
        fixed = [*overrides, *(["weight_decay"] if weight_decay is not None else [])]
        checked = make_axes(axes, fixed)
        configurations = self.configurations(preset, overrides, weight_decay=weight_decay)
        return make_plan(self.name, configurations, seeds, checked, trajectories=trajectories)


def predict(configuration: Configuration):
    """Return what theory predicts for a configuration, a :class:`theory.feature_collapse.Prediction`.

    With LayerNorm and no weight decay on the embeddings this is the minimiser of the risk ``R*``, whose penalty falls
    on the classifier alone.

    Raises:
        ValueError: a configuration is out of range; the message names the field.
        ArithmeticError: a solver did not converge.
    """
    return _predict(**_theory_arguments(configuration))


def _theory_arguments(configuration: Configuration) -> dict[str, object]:
    """Return what theory is asked, checked; nothing is solved, so that an error need not wait for SciPy's import."""
    check_real("embedding_weight_decay", configuration.embedding_weight_decay, positive=not configuration.layer_norm)
    check_real("classifier_weight_decay", configuration.classifier_weight_decay, positive=True)
    free_embeddings = configuration.layer_norm and configuration.embedding_weight_decay == 0
    arguments = {
        "n_concepts": configuration.n_concepts,
        "n_words": configuration.n_words,
        "sentence_length": configuration.sentence_length,
        "n_classes": configuration.n_classes,
        "word_frequency": configuration.word_frequency,
        "weight_decay": (
            configuration.classifier_weight_decay if free_embeddings else configuration.embedding_weight_decay
        ),
        "classifier_weight_decay": None if free_embeddings else configuration.classifier_weight_decay,
        "layer_norm": configuration.layer_norm,
        "embedding_dim": configuration.embedding_dim,
    }
    check_task(**arguments, latents=None)
    return arguments


@lru_cache(maxsize=4096)
def _predict(**task):
    """Predict once for all cells of a sweep that theory does not tell apart."""
    from theory import feature_collapse

    return feature_collapse.predict(**task)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One point of a sweep: what its seeds share.

    Args:
        regime: the name of its regime.
        configuration: all choices.
        spec: the static part of training.
        hyperparameters: the traced part.
    """

    regime: str
    configuration: Configuration
    spec: TrainingSpec
    hyperparameters: Hyperparameters

    @cached_property
    def prediction(self):
        """What theory says of it, a :class:`theory.feature_collapse.Prediction`; solved when it is asked for."""
        return predict(self.configuration)


class Plan(NamedTuple):
    """A checked sweep, ready to run.

    Attributes:
        name: of the experiment.
        configurations: of each regime, before anything varies.
        axes: what varies, the same in each regime.
        seeds: of the members of each cell.
        trajectories: whether weights are kept at every record.
        cells: regime by regime, the last axis fastest.
    """

    name: str
    configurations: dict[str, Configuration]
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    trajectories: bool
    cells: tuple[Cell, ...]

    def predict(self) -> list:
        """Return what theory says of each cell.

        Raises:
            ArithmeticError: a solver did not converge.
        """
        return [cell.prediction for cell in self.cells]

    def describe(self) -> dict[str, object]:
        """Return what is computed, as values that JSON holds: equal descriptions are equal sweeps."""
        return {
            "experiment": self.name,
            "configuration": {name: dataclasses.asdict(one) for name, one in self.configurations.items()},
            "axes": {axis.name: list(axis.values) for axis in self.axes},
            "seeds": list(self.seeds),
            "trajectories": self.trajectories,
        }


def make_plan(
    name: str,
    configurations: Mapping[str, Configuration],
    seeds: Sequence[int],
    axes: Sequence[Axis] = (),
    *,
    trajectories: bool = False,
) -> Plan:
    """Check everything that can be checked without computing anything: neither JAX nor SciPy is imported.

    Args:
        name: of the experiment.
        configurations: one per regime, by name.
        seeds: of the members, the same for each cell.
        axes: what varies.
        trajectories: whether weights are kept at every record.

    Raises:
        ValueError: a configuration is out of range; the message names the field.
    """
    axes = make_axes(axes)
    points = [(regime, one) for regime, start in configurations.items() for one in vary(start, axes)]
    for _, one in points:
        _theory_arguments(one)
    cells = tuple(
        Cell(
            regime=regime,
            configuration=one,
            spec=make_training_spec(one),
            hyperparameters=make_hyperparameters(one),
        )
        for regime, one in points
    )
    return Plan(name, dict(configurations), axes, tuple(check_seeds(seeds)), trajectories, cells)


def plan_from_description(description: Mapping[str, object]) -> Plan:
    """Return the plan that :meth:`Plan.describe` described."""
    configurations = {
        name: Configuration(**{key: _frozen(value) for key, value in fields.items()})
        for name, fields in description["configuration"].items()
    }
    axes = make_axes({name: [_frozen(value) for value in values] for name, values in description["axes"].items()})
    return make_plan(
        description["experiment"],
        configurations,
        description["seeds"],
        axes,
        trajectories=description["trajectories"],
    )


def _frozen(value):
    return tuple(value) if isinstance(value, list) else value


def unmet_assumptions(cells: Iterable[Cell]) -> dict[str, list[str]]:
    """Return, for each regime, the assumptions of its theorem that some cell does not meet, in words."""
    lines: dict[str, dict[str, None]] = {}
    for cell in cells:
        unmet = [f"{one.name}: {one.reason}" for one in cell.prediction.assumptions if not one.holds]
        lines.setdefault(cell.regime, {}).update(dict.fromkeys(unmet))
    return {regime: list(found) for regime, found in lines.items()}
