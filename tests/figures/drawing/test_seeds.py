"""Means over seeds: against plain statistics, and without a warning where there is nothing to tell a spread from."""

import numpy as np
import pytest
import xarray

from figures.drawing.seeds import mean_and_error, standard_error

pytestmark = pytest.mark.quick

VALUES = np.array([[1.0, 2.0, 4.0], [5.0, np.nan, 6.0], [7.0, np.nan, np.nan], [np.nan] * 3])
ARRAY = xarray.DataArray(VALUES, dims=("cell", "seed"))


def test_the_error_is_that_of_the_mean_of_the_known_seeds():
    # Deviations of 1, 2, 4 from 7/3 have the squares 42/9; of 5, 6 from 5.5, 1/2.
    wanted = [np.sqrt(42 / 9 / 2 / 3), np.sqrt(1 / 2 / 2), np.nan, np.nan]
    np.testing.assert_allclose(standard_error(ARRAY), wanted, rtol=1e-14)


def test_unknown_seeds_are_left_out_or_make_the_mean_unknown():
    mean, error = mean_and_error(ARRAY, skipna=True)
    np.testing.assert_allclose(mean, [7 / 3, 5.5, 7, np.nan], rtol=1e-14)
    np.testing.assert_allclose(error[2:], 0)
    np.testing.assert_array_equal(np.isnan(mean_and_error(ARRAY)[0]), [False, True, True, True])


def test_one_seed_has_no_error():
    mean, error = mean_and_error(ARRAY.isel(seed=[0]))
    np.testing.assert_array_equal(mean, VALUES[:, 0])
    np.testing.assert_array_equal(error, 0)
