import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.neural_collapse.configuration import ClassConfiguration
from experiments.neural_collapse.phenomenon import NEURAL_COLLAPSE
from experiments.tables.result import format_result

TINY = ClassConfiguration(feature_dim=6, n_steps=200, n_records=4).replace(weight_decay=2e-2)


@pytest.fixture(scope="module")
def landed():
    """Three regimes that no theorem of balanced classes covers, trained to their end."""
    configurations = {
        "step": TINY.replace(n_classes=4, samples_per_class="step:8:8", weight_decay=3e-2),
        "factors": TINY.replace(factor_sizes="2x3", samples_per_class=2),
        "square": TINY.replace(n_classes=4, samples_per_class=3, feature_dim=2),
    }
    return run_plan(make_plan("tiny", NEURAL_COLLAPSE, configurations, [0, 1]))


@pytest.mark.quick
def test_the_network_lands_on_the_prediction(landed):
    learned, predicted = landed.learned, landed.predicted
    norms = ["feature_norm", "classifier_norm", "cross_entropy", "risk"]
    # L-BFGS in float32 leaves relative errors of 1e-6 to 1e-5.
    assert abs(learned / predicted - 1).sel(quantity=norms).max() < 2e-5
    assert learned.sel(quantity=["feature_distance", "classifier_distance"]).max() < 2e-3
    shapes = ["nc1", "nc2", "nc3", "nc4", "rank", "closest_classes"]
    assert abs(learned - predicted).sel(quantity=shapes).max() < 2e-4
    # A gap is of the first order in the distance; in two dimensions it is what they cost beside the simplex of three.
    assert landed.duality_gap.sel(regime=["step", "factors"]).max() < 1e-4
    assert landed.duality_gap.sel(regime="square").min() > 0.01


@pytest.mark.quick
def test_what_is_predicted_is_what_the_geometry_says(landed):
    predicted = landed.predicted
    value = lambda regime, name: predicted.sel(regime=regime, quantity=name).item()  # noqa: E731
    # 2 of 4 classes have one sample of 18: they coincide, from sqrt(1) / 18 = 0.056 on not yet at 0.03.
    assert landed.collapse_threshold.sel(regime="step").item() == pytest.approx(1 / 18)
    assert value("step", "rank") == 3
    assert value("factors", "rank") == (2 - 1) + (3 - 1)
    assert value("factors", "factor_overlap") == 0
    # The corners of a square: neighbours at a right angle, |w_j - w_k| = sqrt(2) |w|.
    assert value("square", "closest_classes") == pytest.approx(np.sqrt(2))
    assert landed.basis.values.tolist() == ["certified", "theorem", "ansatz"]
    text = format_result(landed)
    assert "square  (regular polygon, ansatz; 2 seeds)" in text
    assert "regular polygon: an ansatz, confirmed by minimising from random starts, not by a theorem" in text


def test_measures_are_followed_over_training(landed):
    balanced = landed.sel(regime="square")
    assert balanced.history_nc1.shape == (2, 5)
    assert (balanced.history_nc1.isel(record=-1) < 1e-6 * balanced.history_nc1.isel(record=0)).all()
    assert "features_trajectory" not in landed


@pytest.mark.quick
@pytest.mark.parametrize(
    ("given", "n_classes", "counts"),
    [
        ("long-tail:50:25", 3, (50, 10, 2)),
        ("step:50:25", 4, (50, 50, 2, 2)),
        ((5, 4), 2, (5, 4)),
        (7, 3, 7),
        ("long-tail:3:1", 2, (3, 3)),
    ],
)
def test_class_sizes_follow_their_law(given, n_classes, counts):
    assert ClassConfiguration(n_classes=n_classes, samples_per_class=given).counts == counts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--samples-per-class tail", "samples_per_class: expected a number, K numbers, long-tail:LARGEST:RATIO or"),
        ("--samples-per-class step:5:50", "samples_per_class: expected at least one sample in the smallest class"),
        (
            "--samples-per-class 1,2",
            "samples_per_class: expected one number with factor_sizes=4x6, the samples of every cell",
        ),
        ("--n-classes 1", "n_classes: expected a whole number of at least 2, got 1"),
        ("--feature-weight-decay 0", "feature_weight_decay: expected a positive finite number, got 0.0"),
        ("--features linear", "features: expected one of free, mlp, got 'linear'"),
        ("--factor-sizes 3by4", "factor_sizes: expected whole numbers with x between them, got '3by4'"),
        (
            "--word-frequency zipf",
            "option: expected one that 'simlab run neural-collapse --help' lists, got '--word-frequency' (an",
        ),
        ("--vary n-words=3,6", "vary: expected one of "),
        ("--feature-dim 2", "feature_dim: expected at least"),
    ],
)
def test_bad_choices_are_one_line_and_write_nothing(tmp_path, capsys, options, message):
    assert main(["run", "neural-collapse", *options.split(), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {message}"), printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_the_experiments_bring_their_own_axes(capsys):
    from experiments.registry import find_experiment

    experiment = find_experiment("minority-collapse")
    own = experiment.plan("quick", {})
    assert [axis.name for axis in own.axes] == ["weight_decay"]
    assert len(own.seeds) == 3
    asked = experiment.plan("quick", {}, [5], {"feature_weight_decay": [1e-3, 2e-3]})
    assert [axis.name for axis in asked.axes] == ["feature_weight_decay"]
    assert experiment.plan("quick", {"weight_decay": 1e-3}, [5]).axes == ()
