"""The largest singular value by three methods, against all singular values."""

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from theory.optimality.spectral_norm import sigma_max

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (120, 90), (5, 1)])
@pytest.mark.parametrize("method", ["gram", "lanczos", "auto"])
def test_spectral_norm_agrees_with_all_singular_values(shape, method):
    matrix = np.random.default_rng(4).normal(size=shape)
    exact = np.linalg.svd(matrix, compute_uv=False)[0]
    bound = sigma_max(matrix, method=method)
    # Random spectra are dense at the edge: the bound of Lanczos stops at its residual, 1e-13 of sigma^2.
    assert bound.upper == pytest.approx(exact, rel=1e-12)
    assert bound.upper >= exact * (1 - 20 * EPS)
    assert bound.proven or method == "lanczos"


def test_lanczos_proves_its_bound_where_few_values_carry_the_norm():
    rng = np.random.default_rng(5)
    left, right = np.linalg.qr(rng.normal(size=(300, 5)))[0], np.linalg.qr(rng.normal(size=(200, 5)))[0]
    matrix = (left * [2.0, 2.0, 2.0, 0.3, 0.1]) @ right.T + 1e-5 * rng.normal(size=(300, 200))
    bound = sigma_max(matrix, method="lanczos")
    assert bound.proven
    assert bound.upper == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-12)
    # 150 equal values: a tail that no few pairs can bound.
    assert not sigma_max(np.eye(150), method="lanczos").proven
    assert sigma_max(np.zeros((3, 2)), method="lanczos").upper == 0


def test_unknown_or_unfit_methods_are_refused():
    with pytest.raises(ValueError, match=r"^method: expected one of auto, svd, gram, lanczos, got 'qr'$"):
        sigma_max(np.eye(2), method="qr")
    with pytest.raises(ValueError, match=r'^method: expected "lanczos" for an operator, got \'svd\'$'):
        sigma_max(aslinearoperator(np.eye(2)), method="svd")
