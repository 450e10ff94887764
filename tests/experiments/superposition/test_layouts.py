"""What a member learns depends neither on the members beside it nor on an interruption of the sweep."""

import numpy as np
import pytest
import xarray

from experiments.core.experiment import make_plan
from experiments.core.progress import Quiet
from experiments.core.sweep import make_sweep, run_in_folder
from experiments.superposition.adversarial_gain import ADVERSARIAL_GAIN, CLUSTERS, FEATURES
from simlab.storage.parts import PARTS_FOLDER
from simlab.sweeps.sweep import train_members

SHORT = {"n_steps": 40, "n_records": 1, "batch_size": 16, "n_evaluation": 16}
REGIMES = {
    "weighted": FEATURES.replace(n_features=3, **SHORT),
    "sampled": FEATURES.replace(masks="sampled", **SHORT),
    "4-clusters": CLUSTERS.replace(n_clusters=4, input_dim=8, n_units=4, **SHORT),
}
EPS = np.finfo(np.float32).eps


@pytest.fixture(scope="module")
def plan():
    """Three programs of three members each."""
    return make_plan("tiny", ADVERSARIAL_GAIN, REGIMES, [0, 1, 2])


def test_a_member_learns_alone_what_it_learns_in_the_sweep(plan):
    members = make_sweep(plan).members
    together = train_members(members)
    for number, cell in enumerate(plan.cells):
        place = 3 * number + 1
        [alone] = train_members([members[place]])
        # Sums of 16 draws with up to 8 masks each, in another order: the root of 128 roundings in a step of one rate.
        # Gradients over their size are below one; those of the classifier are, as its inputs have length one.
        rounding = SHORT["n_steps"] * cell.configuration.learning_rate * np.sqrt(128) * EPS
        np.testing.assert_allclose(alone.final["weights"], together[place].final["weights"], rtol=0, atol=rounding)


def test_an_interrupted_sweep_goes_on_to_the_same_bits(plan, tmp_path):
    def in_parts_of_two(sweep):
        return sweep.choose_layouts(chunk=2)

    def stop_after_a_part(steps, members):
        if list((tmp_path / "resumed" / PARTS_FOLDER).glob("*.done")):
            raise KeyboardInterrupt

    interrupted = Quiet()
    interrupted.advance = stop_after_a_part
    with pytest.raises(KeyboardInterrupt):
        run_in_folder(plan, tmp_path / "resumed", in_parts_of_two, interrupted)
    assert not (tmp_path / "resumed" / "results.nc").exists()
    datasets = [run_in_folder(plan, tmp_path / name, in_parts_of_two, Quiet()) for name in ("resumed", "whole")]
    xarray.testing.assert_identical(*(dataset.drop_attrs() for dataset in datasets))
