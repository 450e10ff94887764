"""``simlab predict EXPERIMENT``: the predictions of theory for the tasks of an experiment's preset."""

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from experiments.commands.parser import CommandParser, read_axes
from experiments.commands.run_options import PRESETS, default_texts
from experiments.core.axes import check_sweep_size, vary
from experiments.core.configuration import Configuration
from experiments.core.experiment import Experiment
from experiments.core.options import add_options, read_options
from experiments.core.predictor import Predictor, task_of
from experiments.phenomena import load_configurations
from experiments.tables.prediction import format_points, format_task, to_json
from simlab.validation import check_choice


class Point(NamedTuple):
    """A task: its regime, its configuration, and the values of the axes by name."""

    regime: str
    configuration: Configuration
    axes: Mapping[str, object]


def show_experiment_options(parser: CommandParser, experiment: Experiment) -> None:
    """Add the options of an experiment's configuration, as in ``simlab run``."""
    add_options(parser, experiment.phenomenon.configuration, default_texts(experiment))
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="an axis, as in 'simlab run'; repeatable",
    )
    parser.load_records = load_configurations
    parser.description = f"Print the prediction of theory for {experiment.name}: {experiment.summary}."


def prepare_experiment(
    experiment: Experiment, predictor: Predictor, arguments: argparse.Namespace
) -> Callable[[], int]:
    """Predict each task of an experiment's preset, with the user's changes.

    Raises:
        ValueError: a setting is out of range; the message names the field.
        ArithmeticError: a solver did not converge.
    """
    preset = check_choice("preset", arguments.preset or "quick", PRESETS)
    points = _list_points(experiment, preset, arguments)
    for point in points:
        experiment.phenomenon.check_theory(point.configuration)
    predictions = predictor.predict_configurations([point.configuration for point in points])

    def action() -> int:
        if arguments.json:
            where = {"experiment": experiment.name, "preset": preset}
            records = [where | _record(*pair) for pair in zip(points, predictions, strict=True)]
            print(to_json(records[0] if len(records) == 1 else records))
        else:
            print(f"{experiment.name}, preset {preset}\n{_format(predictor, points, predictions)}")
        return 0

    return action


def _list_points(experiment: Experiment, preset: str, arguments: argparse.Namespace) -> list[Point]:
    """Return the tasks to predict: each regime over all axes. Settings of training are not checked."""
    kind = experiment.phenomenon.configuration
    overrides = read_options(arguments, kind)
    axes = experiment.axes(preset, overrides, read_axes(arguments.vary, kind, load_configurations()))
    configurations = experiment.configurations(preset, overrides)
    check_sweep_size(len(configurations), axes, 1)
    combinations = list(itertools.product(*(axis.values for axis in axes)))
    names = [axis.name for axis in axes]
    return [
        Point(regime, configuration, dict(zip(names, values, strict=True)))
        for regime, start in configurations.items()
        for configuration, values in zip(vary(start, axes), combinations, strict=True)
    ]


def _format(predictor: Predictor, points: list[Point], predictions: list) -> str:
    """Return a block for each regime: one prediction in full, or a row for each point of its axes."""
    regimes = dict.fromkeys(point.regime for point in points)
    blocks = []
    for regime in regimes:
        pairs = [pair for pair in zip(points, predictions, strict=True) if pair[0].regime == regime]
        heading = f"{regime}\n" if len(regimes) > 1 else ""
        blocks.append(heading + _format_regime(predictor, *zip(*pairs, strict=True)))
    return "\n\n".join(blocks)


def _format_regime(predictor: Predictor, points: Sequence[Point], predictions: Sequence) -> str:
    if len(predictions) == 1:
        return format_prediction(predictor, predictions[0])
    records = [prediction.to_json() for prediction in predictions]
    values = [{name: record[name] for name in predictor.columns or record} for record in records]
    return format_points([point.axes for point in points], [*map(task_of, predictions)], values)


def format_prediction(predictor: Predictor, prediction) -> str:
    """Return the text of one prediction, below its task."""
    task, text = task_of(prediction), predictor.format(prediction)
    return f"{format_task(task)}\n\n{text}" if task else text


def _record(point: Point, prediction) -> dict[str, object]:
    """Return a prediction with its regime, axes and task, as values that JSON can hold."""
    return {"regime": point.regime, "axes": point.axes} | prediction.to_json() | {"task": dict(task_of(prediction))}
