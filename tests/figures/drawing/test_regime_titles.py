"""The heading of a regime says what is predicted, and where that was not reached."""

import numpy as np
import pytest
import xarray

from figures.drawing import style

pytestmark = pytest.mark.quick


def make_regime(distance, name="zipf-layer-norm"):
    learned = xarray.DataArray(np.full((2, 1), distance), dims=("seed", "quantity"))
    variables = {"learned": learned, "kind": xarray.DataArray("Type III")}
    return xarray.Dataset(variables, coords={"quantity": ["embedding_distance"], "regime": name})


@pytest.mark.parametrize(
    ("distance", "predicted"),
    [(0.1, "Type III predicted"), (0.5, "Type III predicted, not collapsed"), (np.nan, "Type III predicted")],
)
def test_a_regime_far_from_its_prediction_is_not_collapsed(distance, predicted):
    assert style.regime_title(make_regime(distance)) == f"Zipf LayerNorm\n({predicted})"
