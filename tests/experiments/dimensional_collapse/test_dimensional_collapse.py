"""Linear encoders of pairs beside their prediction, the curve, and choices that are refused."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.dimensional_collapse.configuration import PairConfiguration
from experiments.dimensional_collapse.phenomenon import DIMENSIONAL_COLLAPSE
from experiments.dimensional_collapse.reference import FAR, predict, shrinkage
from experiments.dimensional_collapse.regimes import TOY, derive
from experiments.registry import find_experiment
from experiments.report.run_section import _regime_summaries
from experiments.tables.result import format_result
from theory.dimensional_collapse import surviving_eigenvalue

EXACT = PairConfiguration(n_inputs=3, output_dim=4, augmentation_ratios=(0.5, 1.2, 2.6), n_steps=60, n_records=2)
REGIMES = {
    "exact": EXACT,
    "decay": EXACT.replace(weight_decay=0.3, temperature=0.5),
    "sampled": EXACT.replace(
        negatives="batch", optimizer="sgd", schedule="cosine", learning_rate=0.5, n_steps=400, batch_size=256,
        variances=(1.0,) * 3, dtype="float32",
    ),
    "spectral": EXACT.replace(similarity="spectral", n_pairs=9, views=2, augmentation_ratios=(4.0,) * 3, law_seed=2),
}  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    return make_plan("tiny", DIMENSIONAL_COLLAPSE, REGIMES, [0, 1])


@pytest.fixture(scope="module")
def dataset(plan):
    return derive(run_plan(plan), plan)


def learned(dataset, regime, quantity):
    return dataset.learned.sel(regime=regime, quantity=quantity).values


@pytest.mark.parametrize("regime", ["exact", "decay", "spectral"])
def test_without_sampling_the_spectrum_is_exact(dataset, regime):
    """The accuracy of the issue: 1e-9 and the exact rank, on any seed."""
    assert np.all(learned(dataset, regime, "eigenvalue_error") < 1e-9)
    assert np.all(learned(dataset, regime, "gram_distance") < 1e-9)
    predicted = dataset.predicted.sel(regime=regime)
    assert np.all(learned(dataset, regime, "rank") == predicted.sel(quantity="rank").item())
    np.testing.assert_allclose(learned(dataset, regime, "loss"), predicted.sel(quantity="loss").item(), atol=1e-12)


def test_some_of_these_spectra_have_collapsed(dataset):
    assert dataset.predicted.sel(quantity="rank", regime=["exact", "spectral"]).values.tolist() == [2, 2]
    assert np.all(learned(dataset, "exact", "largest_collapsed") < 1e-9)


def test_in_batches_eigenvalues_are_within_a_twentieth(dataset):
    regime = dataset.sel(regime="sampled")
    error = np.abs(regime.eigenvalues - regime.eigenvalues_predicted)
    assert np.all(error < 0.05 + 0.05 * regime.eigenvalues_predicted)
    assert np.all(learned(dataset, "sampled", "rank") == 2)
    assert np.all(learned(dataset, "sampled", "largest_collapsed") < 2e-3)
    corrected = np.abs(regime.eigenvalues - regime.finite_batch_eigenvalues).max("direction")
    np.testing.assert_allclose(learned(dataset, "sampled", "corrected_error"), corrected, rtol=1e-12)
    assert np.isnan(learned(dataset, "exact", "corrected_error")).all()
    assert regime.basis.item() == "approximation"
    assert np.isnan(learned(dataset, "sampled", "loss")).all()


def test_levels_of_the_data_are_those_of_theory(dataset):
    assert np.abs(dataset.levels - dataset.levels_predicted).max() < 1e-13


def test_what_figures_need_is_derived(dataset):
    np.testing.assert_allclose(dataset.curve.values, surviving_eigenvalue(dataset.line_level.values))
    assert dataset.cell_temperature.values.tolist() == [1.0, 0.5, 1.0, 1.0]
    assert dataset.uses_distance.values.tolist() == [1, 1, 1, 0]
    assert dataset.is_sampled.values.tolist() == [0, 0, 1, 0]
    corrected = dataset.finite_batch_eigenvalues
    assert np.isfinite(corrected).all("direction").values.tolist() == [False, False, True, False]
    assert np.all(corrected.sel(regime="sampled") <= dataset.eigenvalues_predicted.sel(regime="sampled").isel(seed=0))


def test_the_table_says_what_is_no_theorem(dataset):
    assert "predicted for infinitely many negatives" in format_result(dataset)


def test_the_toy_experiment_shrinks_and_does_not_collapse():
    prediction = predict(TOY)
    assert prediction.quantities["rank"] == 16
    # tau rho^2 with rho = 1/(1 + 1.5^2), and tau in the directions without augmentation
    assert prediction.quantities["least_clean"] == pytest.approx(0.1 / 3.25**2, rel=1e-12)
    assert prediction.quantities["shrinkage"] == pytest.approx(3.25**2, rel=1e-12)
    assert FAR in prediction.note
    assert FAR not in predict(TOY.replace(augmentation_ratios=(2.0,) * 16)).note


def test_shrinkage_is_that_of_groups_of_equal_predictions():
    predicted = np.array([2.0, 2.0, 1.0, 0.5, 0.5])
    assert shrinkage(np.array([3.0, 1.0, 1.0, 0.6, 0.4]), predicted) == pytest.approx(4.0)
    assert np.isnan(shrinkage(predicted, np.array([2.0, 2.0, 1.0, 0.5, 0.0])))


def test_the_experiments_are_predicted_and_cover_both_sides_of_the_kink():
    plan = find_experiment("dimensional-collapse").plan("quick", {})
    ranks = {cell.regime: cell.prediction.quantities["rank"] for cell in plan.cells}
    assert ranks == {
        "population": 9, "few-dimensions": 5, "sampled": 6, "two-views": 5, "spectral": 18, "directclr-toy": 16
    }  # fmt: skip
    levels = np.concatenate(
        [cell.prediction.arrays["levels"] for cell in find_experiment("collapse-curve").plan("quick", {}).cells]
    )
    assert np.sum(levels < 2) > 50
    assert np.sum(levels > 2) > 20


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("dimensional-collapse --n-pairs 20 --similarity dot", "similarity: expected spectral with n_pairs"),
        (
            "dimensional-collapse --similarity spectral --negatives batch --temperature 1",
            "negatives: expected expected",
        ),
        ("dimensional-collapse --temperature 0", "temperature: expected a positive finite number, got 0.0"),
        ("dimensional-collapse --output-dim 0", "output_dim: expected at least 1, got 0"),
        (
            "collapse-curve --augmentation-ratios 1,2",
            "augmentation_ratios: expected 12 numbers, one per input dimension",
        ),
        ("collapse-curve --n-inputs 2 --augmentation-ratios 1,-2", "augmentation_ratios: expected a non-negative"),
        ("collapse-curve --n-inputs 2 --variances 1,0", "variances: expected a positive finite number, got 0.0"),
        (
            "collapse-curve --views 2 --weight-decay 0 --similarity dot",
            "similarity: expected distance, to which the curve",
        ),
        ("collapse-curve --batch-size 1", "batch_size: expected at least 2"),
    ],
)
def test_bad_choices_are_one_line(tmp_path, capsys, words, message):
    assert main(["run", *words.split(), "--out", str(tmp_path / "run")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")


def test_a_report_describes_regimes_that_have_no_paper_preset(dataset):
    experiment = find_experiment("dimensional-collapse")
    assert None in [regime.paper for regime in experiment.regimes]
    lines = _regime_summaries(experiment, dataset.drop_attrs().assign_attrs(axes="[]"))
    assert set(lines) == {regime.name for regime in experiment.regimes}
