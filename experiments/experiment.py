"""An experiment: one or more regimes, each trained, predicted and compared, on the axis ``regime``."""

import dataclasses
import json
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from experiments.configuration import Configuration
from simlab.validation import check_real


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
        self, preset: str, overrides: dict[str, object], *, weight_decay: float | None = None
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


class Progress(Protocol):
    """Told how far a run has come."""

    def start(self, name: str, total: int) -> None:
        """Begin a regime of ``total`` segments."""

    def advance(self, done: int) -> None:
        """Report the number of segments done."""

    def certify(self) -> None:
        """Report that training is done and its certificate is being computed."""

    def finish(self) -> None:
        """Report the end of a regime."""


def predict(configuration: Configuration):
    """Return what theory predicts for a configuration, a :class:`theory.feature_collapse.Prediction`.

    With LayerNorm and no weight decay on the embeddings this is the minimiser of the risk ``R*``, whose penalty falls
    on the classifier alone.
    """
    from theory import feature_collapse

    check_real("embedding_weight_decay", configuration.embedding_weight_decay, positive=not configuration.layer_norm)
    check_real("classifier_weight_decay", configuration.classifier_weight_decay, positive=True)
    free_embeddings = configuration.layer_norm and configuration.embedding_weight_decay == 0
    return feature_collapse.predict(
        n_concepts=configuration.n_concepts,
        n_words=configuration.n_words,
        sentence_length=configuration.sentence_length,
        n_classes=configuration.n_classes,
        word_frequency=configuration.word_frequency,
        weight_decay=configuration.classifier_weight_decay if free_embeddings else configuration.embedding_weight_decay,
        classifier_weight_decay=None if free_embeddings else configuration.classifier_weight_decay,
        layer_norm=configuration.layer_norm,
        embedding_dim=configuration.embedding_dim,
    )


class Plan(NamedTuple):
    """A checked experiment, ready to run; the dictionaries have one entry per regime, by name."""

    experiment: Experiment
    configurations: dict[str, Configuration]
    predictions: dict[str, object]
    specs: dict[str, object]
    hyperparameters: dict[str, object]
    seeds: tuple[int, ...]


def make_plan(experiment: Experiment, configurations: dict[str, Configuration], seeds: Sequence[int]) -> Plan:
    """Check everything that can be checked before a run, and predict its outcome.

    Args:
        experiment: what is run.
        configurations: one per regime, by name.
        seeds: of the members, the same for each regime.

    Raises:
        ValueError: a configuration is out of range; the message names the field.
    """
    # Theory comes first: it needs no accelerator library and refuses most bad input at once.
    predictions = {name: predict(configuration) for name, configuration in configurations.items()}

    from experiments.training_spec import make_hyperparameters, make_training_spec

    specs = {name: make_training_spec(one) for name, one in configurations.items()}
    hyperparameters = {name: make_hyperparameters(one) for name, one in configurations.items()}
    return Plan(experiment, configurations, predictions, specs, hyperparameters, tuple(seeds))


def run_plan(plan: Plan, progress: Progress):
    """Train, predict and compare every regime of a plan.

    Args:
        plan: from :func:`make_plan`.
        progress: is told how far the run has come.

    Returns:
        An ``xarray.Dataset`` on the axis ``regime`` and those of :func:`experiments.comparison.build_dataset`.
    """
    import xarray

    from experiments.comparison import build_dataset
    from experiments.optimality import certify_runs, find_minima
    from simlab.results import provenance
    from simlab.runs import run_seeds

    made_by = provenance()
    datasets = []
    for name, spec in plan.specs.items():
        progress.start(name, spec.n_segments)
        hyperparameters = plan.hyperparameters[name]
        runs = run_seeds(spec, hyperparameters, plan.seeds, on_segment=progress.advance)
        progress.certify()
        minima = find_minima(spec, hyperparameters, runs)
        certificates = certify_runs(spec, hyperparameters, runs)
        datasets.append(build_dataset(spec, runs, plan.predictions[name], minima, certificates))
        progress.finish()
    axis = xarray.Variable("regime", list(plan.specs))
    dataset = xarray.concat(datasets, dim=axis, data_vars="all", coords="different", compat="equals", join="outer")
    configured = {name: dataclasses.asdict(one) for name, one in plan.configurations.items()}
    dataset.attrs = {
        "experiment": plan.experiment.name,
        "configuration": json.dumps(configured),
        "assumptions": json.dumps({name: _assumptions(one) for name, one in plan.predictions.items()}),
        **made_by,
    }
    return dataset


def _assumptions(prediction) -> list[str]:
    """Return the assumptions of the theorem that the task does not meet, in words."""
    return [f"{one.name}: {one.reason}" for one in prediction.assumptions if not one.holds]
