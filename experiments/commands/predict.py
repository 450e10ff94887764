"""``simlab predict``: the prediction of theory for a task, as a table or as JSON."""

import argparse
import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial

from experiments.catalogue import load_attribute
from experiments.commands.parser import CommandParser
from experiments.commands.predict_experiment import format_prediction, prepare_experiment, show_experiment_options
from experiments.core.experiment import Experiment
from experiments.core.options import add_options, default_text, read_options
from experiments.core.predictor import Predictor, task_of
from experiments.phenomena import PREDICTORS, load_configurations, load_predictor_options
from experiments.registry import NAMES, find_experiment
from experiments.tables.prediction import to_json
from simlab.validation import check_choice, invalid

Action = Callable[[], int]


def build_predict(parser: CommandParser) -> None:
    """Print the prediction of theory for a task, or for the tasks of an experiment."""
    parser.add_argument("name", metavar="NAME", help=f"{', '.join(PREDICTORS)}, or an experiment on one of them")
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="predict the tasks of the experiment NAME: quick (default, unless NAME is also a phenomenon) or paper",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, or a list for several tasks")
    parser.epilog = "'simlab predict NAME --help' shows the options of a phenomenon or of an experiment"
    parser.load_records = load_predictor_options
    parser.set_defaults(prepare=prepare_predict)


def add_predictor_options(parser: CommandParser, words: Sequence[str]) -> None:
    """Add the options of the phenomenon or experiment named in the words, if there is one."""
    name = parser.find_name(words)
    if name is None:
        return
    parser.prog, parser.epilog = f"simlab predict {name}", None
    parser.usage = f"{parser.prog} [options]"
    if _names_experiment(name, words):
        experiment, predictor = _find_experiment(name)
        show_experiment_options(parser, experiment)
        parser.set_defaults(prepare=partial(prepare_experiment, experiment, predictor))
        return
    options = _find_predictor(name).options
    parser.load_records = partial(_load_records, name)
    defaults = {field.name: field.default for field in dataclasses.fields(options)}
    add_options(parser, options, {name: default_text(value) for name, value in defaults.items() if value is not None})


def _load_records(name: str) -> dict[str, type]:
    """Return the options of every predictor, and those of the experiments on a phenomenon."""
    own = load_configurations().get(name)
    return load_predictor_options() | ({f"{name} --preset quick": own} if own else {})


def _names_experiment(name: str, words: Sequence[str]) -> bool:
    """Return whether a name denotes an experiment; if a phenomenon has the same name, only with ``--preset``."""
    if name not in PREDICTORS:
        return True
    return name in NAMES and any(word.partition("=")[0] == "--preset" for word in words)


def _find_experiment(name: str) -> tuple[Experiment, Predictor]:
    """Return an experiment and the predictor of its phenomenon.

    Raises:
        ValueError: there is no such experiment, or theory does not predict it from its task alone.
    """
    check_choice("name", name, dict.fromkeys((*PREDICTORS, *NAMES)))
    experiment = find_experiment(name)
    owner = experiment.phenomenon.name
    predictor: Predictor | None = load_attribute(PREDICTORS[owner]) if owner in PREDICTORS else None
    if predictor is None or not predictor.knows_configurations:
        predicted = [other for other, place in PREDICTORS.items() if load_attribute(place).knows_configurations]
        raise ValueError(f"name: expected an experiment on {' or '.join(predicted)}, got {name!r} (on {owner})")
    return experiment, predictor


def prepare_predict(arguments: argparse.Namespace) -> Action:
    """Predict for the task that the options describe."""
    if arguments.preset is not None:
        raise invalid("preset", f"none, as {arguments.name} is not the name of an experiment", arguments.preset)
    predictor = _find_predictor(arguments.name)
    options = predictor.options(**read_options(arguments, predictor.options))
    prediction = predictor.predict(options)
    values, task = prediction.to_json(), dict(task_of(prediction))
    for name in ("cross_entropy", "risk"):
        value = values.get(name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ArithmeticError(f"{name}: expected a finite number, got {value}: are the weight decays too large?")

    def action() -> int:
        if arguments.json:
            print(to_json(values | ({"task": task} if task else {})))
        else:
            print(format_prediction(predictor, prediction))
        return 0

    return action


def _find_predictor(name: str) -> Predictor:
    """Return the predictor of a phenomenon, or raise ``ValueError`` with the nearest name."""
    return load_attribute(PREDICTORS[check_choice("phenomenon", name, PREDICTORS)])
