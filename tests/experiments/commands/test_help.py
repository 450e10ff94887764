"""What ``simlab run`` and ``simlab predict`` say of their options: those of one experiment, with units and defaults."""

import dataclasses
import re

import pytest

from experiments.commands.cli import main
from experiments.core.configuration import GROUPS
from experiments.core.options import flag_of, option_types
from experiments.phenomena import PREDICTORS, load_configurations, load_predictor_options
from experiments.registry import NAMES, find_experiment

pytestmark = pytest.mark.quick


def help_of(capsys, *words):
    """Return the help of a command, its lines joined."""
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0
    return re.sub(r"\s+", " ", capsys.readouterr().out)


def flags_in(text):
    return set(re.findall(r"(?<!\S)--[a-z-]+", text))


@pytest.mark.parametrize("name", ["feature-collapse", "neural-collapse", "deep-networks"])
def test_help_shows_the_options_of_one_experiment_alone(capsys, name):
    own = find_experiment(name).phenomenon.configuration
    shown = flags_in(help_of(capsys, "run", name))
    assert {flag_of(option) for option in option_types(own)} <= shown
    others = {option for record in load_configurations().values() for option in option_types(record)}
    assert not {flag_of(option) for option in others - set(option_types(own))} & shown
    assert {"--seeds", "--vary", "--plan", "--out"} <= shown


def test_options_stand_in_groups_with_units_and_defaults(capsys):
    shown = help_of(capsys, "run", "uniform-small-sample")
    headings = [f"{title}: --" for title in ("task", "network", "training", "sweep", "output")]
    places = [shown.index(heading) for heading in headings]
    assert places == sorted(places)
    assert "--n-words N number of words, n_w; a multiple of n_c (default: quick 600, paper 1200)" in shown
    assert "lam_W; the penalty is lam_W/2 |W|^2 (in nats; default: quick 0.002, paper 0.001)" in shown
    assert "sets --embedding-weight-decay and --classifier-weight-decay, each unless it is zero (in nats)" in shown
    assert "side by side (default: 1)" in shown


def test_defaults_that_differ_between_regimes_or_are_varied_are_said_to(capsys):
    shown = help_of(capsys, "run", "feature-collapse")
    assert "or the frequencies of a concept's words, separated by commas (default: varies by regime)" in shown
    shown = help_of(capsys, "run", "escape")
    assert "factor on the initial weights (default: varied)" in shown
    assert "side by side (default: quick 3, paper 5)" in shown


def test_a_shared_field_has_the_help_of_its_phenomenon(capsys):
    text = "--depth N number of hidden layers or blocks between embeddings and readout"
    assert text in help_of(capsys, "run", "deep-networks")
    assert "--depth N mlp: number of hidden layers" in help_of(capsys, "run", "neural-collapse")


def test_without_a_name_help_shows_what_all_share_and_the_experiments(capsys):
    shown = help_of(capsys, "run")
    assert all(name in shown for name in NAMES)
    assert {"--learning-rate", "--dtype", "--seeds"} <= flags_in(shown)
    assert not {"--n-words", "--samples-per-class", "--initial-scale"} & flags_in(shown)


def test_every_option_has_help_and_stands_in_a_group():
    records = (*load_configurations().values(), *load_predictor_options().values())
    for field in (field for record in records for field in dataclasses.fields(record)):
        assert field.metadata["help"], field.name
        assert field.metadata["group"] in GROUPS, field.name


@pytest.mark.parametrize(
    ("words", "name", "flag", "owners"),
    [
        ("run uniform-small-sample --samples-per-class 5", "run uniform-small-sample", "--samples-per-class",
         "neural-collapse"),
        ("run --n-words 6 neural-collapse", "run neural-collapse", "--n-words", "feature-collapse and layer-collapse"),
        ("run neural-collapse --no-layer-norm", "run neural-collapse", "--no-layer-norm", "feature-collapse"),
        ("predict neural-collapse --layer-norm", "predict neural-collapse", "--layer-norm", "feature-collapse"),
    ],
)  # fmt: skip
def test_an_option_of_another_phenomenon_is_refused_with_its_owner(capsys, words, name, flag, owners):
    assert main(words.split()) == 2
    assert capsys.readouterr().err == (
        f"simlab: option: expected one that 'simlab {name} --help' lists, got '{flag}' (an option of {owners})\n"
    )


@pytest.mark.parametrize("words", ["run uniform-small-sample --n-word 6", "predict feature-collapse --n-word 6"])
def test_flags_are_not_abbreviated(capsys, words):
    assert main(words.split()) == 2
    assert "got '--n-word' (did you mean '--n-words'?)" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["--seeds 1 uniform-small-sample", "--n-words 6 --layer-norm uniform-small-sample"])
def test_the_name_may_come_after_options(capsys, words):
    assert main(["run", *words.split(), "--n-evaluation", "many"]) == 2
    assert capsys.readouterr().err == "simlab: n_evaluation: expected a whole number, got 'many'\n"


@pytest.mark.parametrize("name", PREDICTORS)
def test_predict_shows_the_options_of_one_phenomenon(capsys, name):
    own = load_predictor_options()[name]
    shown = flags_in(help_of(capsys, "predict", name))
    kinds = option_types(own)
    switched_off = {flag_of(option).replace("--", "--no-", 1) for option, kind in kinds.items() if kind is bool}
    assert shown == {flag_of(option) for option in kinds} | switched_off | {"--json", "--help", "--preset"}
