"""Claims on the contamination ratio: against adaptive quadrature, its limits and one-line law, with controls."""

from collections.abc import Iterator

import numpy as np

from experiments.feature_contamination.claims.samples import STANDARD_ERRORS, draw_projections, estimate
from experiments.verification.claim import Claim, compare, must_exceed
from theory import feature_contamination as contamination

SOURCE = "derived here, theory/feature_contamination/ratio.py"
DIMENSIONS, SLOPES, MEANS = (8, 32, 128), (0.1, 0.25, 0.75), (0.1, 1.0)
N_SAMPLES = 1_000_000
QUADRATURE = 1e-11
TAIL = "Gaussian tail of r B > C beyond nine standard deviations"


def check_ratio() -> Iterator[Claim]:
    """Check the ratio, its limits, its one-line law, and the accuracy out of distribution."""
    for d in DIMENSIONS:
        yield _check_root(f"d={d}", _features(d), 0.0)
    for slope in SLOPES:
        yield _check_root(f"d=32 slope={slope:g}", _features(32), slope)
    for mean in MEANS:
        yield _check_root(f"d=32 background mean {mean:g}", _features(32, background_mean=mean), 0.0)
    other = contamination.check_features(
        core_features=16, background_features=64, background_mean=0.3, background_deviation=0.1
    )
    yield _check_root("d_c=16 d_b=64, other means and deviations", other, 0.05)
    yield from _check_limits()
    yield from _check_law()
    yield from _check_accuracy()


def _features(d: int, **changes):
    return contamination.check_features(core_features=d, background_features=d, **changes)


def _check_root(name: str, features, slope: float) -> Claim:
    """Compare with the root of the equation for non-negative strengths, evaluated by adaptive quadrature.

    With Gaussian strengths a neuron is inactive on its own label, ``C + r B < 0``, with probability at most
    ``exp(-z^2/2)/2``; by Cauchy-Schwarz this changes either side by at most ``exp(-z^2/4)`` times the size of ``C``
    and ``B``. An error of the equation divided by its derivative is the error of the root.
    """
    from scipy.optimize import brentq

    predicted = contamination.contamination_ratio(features, slope)
    learned = float(brentq(lambda ratio: _balance(features, ratio, slope), 0.5 * predicted, 2 * predicted, xtol=1e-13))
    step = 1e-3 * predicted
    derivative = (_balance(features, learned + step, slope) - _balance(features, learned - step, slope)) / (2 * step)
    spread = np.hypot(features.core_deviation, predicted * features.background_deviation)
    z = (features.core_projection + predicted * features.background_projection) / spread
    sizes = features.core_projection + features.background_projection + spread
    tolerance = (4 * QUADRATURE + 2 * sizes * np.exp(-(z**2) / 4)) / abs(derivative)
    claim = f"contamination ratio, {name}: adaptive quadrature"
    note = "errors of quadrature and of inactive neurons, over the derivative"
    return compare(claim, SOURCE, predicted, learned, tolerance, note)


def _balance(features, ratio: float, slope: float) -> float:
    """Return ``(1 - alpha) E[B; r B < C] - r E[C (1 + alpha + (1 - alpha) 1(r B > C))]`` by quadrature over B."""
    from scipy.integrate import quad
    from scipy.stats import norm

    core = norm(features.core_projection, features.core_deviation)
    background = norm(features.background_projection, features.background_deviation)

    def integrand(b: float) -> float:
        below = core.cdf(ratio * b)
        core_below = features.core_projection * below - features.core_deviation**2 * core.pdf(ratio * b)
        return background.pdf(b) * ((1 - slope) * (b * (1 - below) - ratio * core_below))

    mean, deviation = features.background_projection, features.background_deviation
    low, high = mean - 9 * deviation, mean + 9 * deviation
    middle = [point for point in (features.core_projection / ratio, mean) if low < point < high]
    value = quad(integrand, low, high, points=middle, epsabs=QUADRATURE, epsrel=0.0, limit=400)[0]
    return value - ratio * (1 + slope) * features.core_projection


def _check_limits() -> Iterator[Claim]:
    """Check three limits; the neglected part is a Gaussian tail or the next term of an expansion."""
    for slope in (0.5, 0.75):
        features = _features(128)
        claim = f"limit of large slope, d=128 slope={slope:g}: (1 - slope)/(1 + slope)"
        learned = (1 - slope) / (1 + slope)
        yield compare(claim, SOURCE, contamination.contamination_ratio(features, slope), learned, 1e-9, TAIL)
    weak = contamination.check_features(core_features=32, background_features=128, background_mean=0.02)
    claim = "limit of weak background, d_c=32 d_b=128: (mu_b/mu_c) sqrt(d_b/d_c)"
    yield compare(claim, SOURCE, contamination.contamination_ratio(weak), 0.02 / 0.5 * 2, 1e-9, TAIL)
    rests = []
    for d in (400, 40_000):
        strong = _features(d, background_mean=5.0)
        rests.append(contamination.contamination_ratio(strong) * 5.0 / 0.5 - 1)
    claim = "strong background: the deviation from E C/E B falls tenfold as d grows a hundredfold"
    note = "next term of the expansion, of the relative order of the deviation"
    yield compare(claim, SOURCE, 10.0, rests[0] / rests[1], 10 * abs(rests[0]), note)


def _check_law() -> Iterator[Claim]:
    """Check that the error of the one-line law is below q^2, and that it differs from r*."""
    errors = []
    for d in (32, 4096):
        ratio, law = contamination.contamination_ratio(_features(d)), contamination.one_line_law(_features(d))
        q = (1 - law) / (1 + law)
        errors.append(abs(law - ratio))
        yield compare(f"one-line law, d={d}", SOURCE, law, ratio, q**2, "q^2, the order of the neglected terms")
    yield must_exceed("control, d=32: the one-line law is not exact", SOURCE, 1e-4, errors[0], "1e-4")


def _check_accuracy() -> Iterator[Claim]:
    """Check the accuracy out of distribution on samples, and that doubling its deficit would be detected."""
    for d in (8, 32):
        features = _features(d)
        ratio = contamination.contamination_ratio(features)
        core, background = draw_projections(features, N_SAMPLES)
        output = np.maximum(core - ratio * background, 0)
        sampled = estimate(np.where(output > 0, 1.0, 0.5))
        predicted, tolerance = contamination.ood_accuracy(features, ratio), STANDARD_ERRORS * float(sampled.error)
        claim = f"accuracy out of distribution, d={d}: samples"
        yield compare(claim, SOURCE, predicted, sampled.mean, tolerance, f"five standard errors of {N_SAMPLES} samples")
        claim = f"control, d={d}: accuracy exceeds that of counting zero outputs as errors"
        yield must_exceed(
            claim, SOURCE, 2 * predicted - 1 + tolerance, float(sampled.mean), "accuracy with zero outputs as errors"
        )
