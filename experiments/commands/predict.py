"""``simlab predict``: the prediction of theory for a task, as a table or as JSON."""

import argparse
import dataclasses
import json
import math
from collections.abc import Callable, Sequence

from experiments.commands.parser import CommandParser
from experiments.core.options import add_options, default_text, read_options
from experiments.core.predictor import Predictor
from experiments.phenomena import PREDICTORS, load_predictor_options
from experiments.registry import load_attribute
from simlab.validation import check_choice

Action = Callable[[], int]


def build_predict(parser: CommandParser) -> None:
    """Print what theory predicts for a task."""
    parser.add_argument("name", metavar="NAME", help=", ".join(PREDICTORS))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.epilog = "'simlab predict NAME --help' shows the options of a phenomenon"
    parser.load_records = load_predictor_options
    parser.set_defaults(prepare=prepare_predict)


def add_predictor_options(parser: CommandParser, words: Sequence[str]) -> None:
    """Add the options of the phenomenon that the words name, if they name one."""
    name = parser.find_name(words)
    if name is None:
        return
    options = _find_predictor(name).options
    defaults = {field.name: field.default for field in dataclasses.fields(options)}
    add_options(parser, options, {name: default_text(value) for name, value in defaults.items() if value is not None})
    parser.prog, parser.epilog = f"simlab predict {name}", None
    parser.usage = f"{parser.prog} [options]"


def prepare_predict(arguments: argparse.Namespace) -> Action:
    """Predict for the task that the options describe."""
    predictor = _find_predictor(arguments.name)
    options = predictor.options(**read_options(arguments, predictor.options))
    prediction = predictor.predict(options)
    values = prediction.to_json()
    for name in ("cross_entropy", "risk"):
        value = values.get(name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ArithmeticError(f"{name}: expected a finite number, got {value}: are the weight decays too large?")

    def action() -> int:
        print(json.dumps(_finite(values), allow_nan=False) if arguments.json else predictor.format(prediction))
        return 0

    return action


def _finite(value):
    """Return nested values with null in place of numbers that are not finite, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _find_predictor(name: str) -> Predictor:
    """Return the predictor of a phenomenon, or raise ``ValueError`` with the nearest name."""
    return load_attribute(PREDICTORS[check_choice("phenomenon", name, PREDICTORS)])
