"""Words that no command understands: one line each, which names the option and says what has it."""

import pytest

from experiments.commands.cli import _OPTIONS_BY_NAME, _build_parser, main

pytestmark = pytest.mark.quick

# What stands beside the option so that nothing but the option is wrong.
NAMES = {"run": "deep-networks", "predict": "collapse-point", "plot": "somewhere", "report": "somewhere"}


def options_of(command):
    """Return the flags of a command, each with whether it takes a value."""
    _, parsers = _build_parser()
    if command in _OPTIONS_BY_NAME:
        _OPTIONS_BY_NAME[command](parsers[command], [NAMES[command]])
    actions = [action for action in parsers[command]._actions if action.dest != "help"]
    return [(flag, action.nargs != 0) for action in actions for flag in action.option_strings]


CASES = [
    (command, flag, takes_value)
    for command in ("list", "predict", "run", "plot", "report", "verify", "bench")
    for flag, takes_value in options_of(command)
]


def complain(capsys, *words):
    """Return the one line that a command answers."""
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("simlab: ").rstrip("\n")


@pytest.mark.parametrize(("command", "flag", "takes_value"), CASES, ids=lambda value: str(value))
def test_a_value_too_few_or_too_many_is_said_of_its_option(capsys, command, flag, takes_value):
    place = [NAMES[command]] if command in NAMES else []
    name = flag.removeprefix("--").replace("-", "_")
    if takes_value:
        assert complain(capsys, command, *place, flag) == f"{name}: expected a value, got none"
    else:
        assert complain(capsys, command, *place, f"{flag}=5") in {
            f"{name}: expected no value, got '5'",
            f"{name.removeprefix('no_')}: expected no value, got '5'",  # a switch and its opposite are one option
        }


@pytest.mark.parametrize("command", ["run", "predict"])
def test_a_second_name_is_told(capsys, command):
    line = complain(capsys, command, NAMES[command], "another")
    assert line == "option: expected one that starts with --, got 'another'"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("run uniform-small-sample --vary samples-per-class=5,10",
         "vary: expected one of the options of this experiment, got 'samples_per_class' (an option of"),
        ("predict collapse-point --vary n-words=3,6",
         "vary: expected one of the options of this experiment, got 'n_words' (an option of feature-collapse and"),
        ("run uniform-small-sample --per-class 2000000000", "per_class: expected at most "),
        ("run neural-collapse --samples-per-class 2000000000", "samples_per_class: expected at most "),
        ("bench step --members 99999999999999", "members: expected at most "),
        ("--verison", "option: expected one that 'simlab --help' lists, got '--verison' (did you mean '--version'?)"),
    ],
)  # fmt: skip
def test_the_line_names_the_field(capsys, words, line):
    assert complain(capsys, *words.split()).startswith(line)


@pytest.mark.parametrize(
    ("words", "owner"),
    [
        ("predict uniform-small-sample --seeds 3", "'simlab run'"),
        ("verify --sizes small", "'simlab bench'"),
        ("predict neural-collapse --factor-sizes 3x4", "neural-collapse --preset quick"),
        ("predict neural-collapse --n-words 3", "feature-collapse"),
        ("run neural-collapse --per-class 5", "feature-collapse and layer-collapse"),
    ],
)
def test_an_option_of_something_else_is_said_to_be_one(capsys, words, owner):
    assert complain(capsys, *words.split()).endswith(f"(an option of {owner})")
