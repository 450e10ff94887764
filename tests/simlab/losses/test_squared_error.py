"""Deep linear networks: their starts, their loss, and Runge-Kutta steps against an integrator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.integrate import solve_ivp

from simlab.data.sources import Population
from simlab.losses.squared_error import Hyperparameters, SquaredError, products, squared_error
from simlab.networks.specs.deep_linear import DeepLinear
from simlab.tasks.item_properties import ItemProperties
from simlab.training.spec import TrainingSpec

pytestmark = pytest.mark.quick

TASK = ItemProperties(depth=2)
TARGET = TASK.matrix()
HYPER = Hyperparameters(learning_rate=0.05, initial_scale=0.3, initial_strength=0.2)
ROUNDING = 1e-12  # some hundred operations on float64 numbers of order one


def build(**fields):
    with jax.enable_x64(True):
        return DeepLinear(hidden_width=6, **fields).build(TASK, HYPER, dtype=jnp.float64, rngs=nnx.Rngs(0))


def test_balanced_starts_are_balanced():
    with jax.enable_x64(True):
        first, second, third = (np.asarray(matrix) for matrix in build(n_layers=3, start="balanced").weights())
    np.testing.assert_allclose(first @ first.T, second.T @ second, atol=ROUNDING)
    np.testing.assert_allclose(second @ second.T, third.T @ third, atol=ROUNDING)
    np.testing.assert_allclose(np.linalg.svd(third @ second @ first)[1], 0.2, rtol=ROUNDING)


@pytest.mark.parametrize("n_layers", [1, 2, 4])
def test_aligned_starts_have_the_directions_of_the_task(n_layers):
    with jax.enable_x64(True):
        made = np.asarray(products(build(n_layers=n_layers, start="aligned").weights())[-1])
    left, _, right = np.linalg.svd(TARGET, full_matrices=False)
    np.testing.assert_allclose(made, 0.2 * left @ right, atol=ROUNDING)


def test_a_runge_kutta_step_follows_the_flow():
    """Its error is of order time^5: halving the time divides it by 2^5, the exponent to within a half."""
    with jax.enable_x64(True):
        network = build(n_layers=2, start="random")
        weights = network.weights()
        errors = []
        for time in (0.04, 0.02):
            objective, hyper = SquaredError(integrator="runge-kutta"), HYPER._replace(learning_rate=time)
            value, slope = nnx.value_and_grad(
                lambda module, objective=objective, hyper=hyper: objective.loss(module, TARGET, TARGET, hyper, None)
            )(network)
            assert float(value) == pytest.approx(float(squared_error(weights, TARGET)), rel=1e-14)
            steps = [slope["layers"][f"layer_{number}"][...] for number in (1, 2)]
            moved = [np.asarray(matrix - time * step) for matrix, step in zip(weights, steps, strict=True)]
            flow = follow_flow([np.asarray(matrix) for matrix in weights], time)
            errors.append(max(np.abs(a - b).max() for a, b in zip(moved, flow, strict=True)))
    assert 4.5 <= np.log2(errors[0] / errors[1]) <= 5.5


def follow_flow(weights, time):
    """Integrate both layers with an integrator of its own."""
    shapes, end = [matrix.shape for matrix in weights], weights[0].size

    def slope(_, point):
        first, second = point[:end].reshape(shapes[0]), point[end:].reshape(shapes[1])
        error = TARGET - second @ first
        return np.concatenate([(second.T @ error).ravel(), (error @ first.T).ravel()])

    start = np.concatenate([matrix.ravel() for matrix in weights])
    point = solve_ivp(slope, (0, time), start, rtol=1e-13, atol=1e-15, method="DOP853").y[:, -1]
    return point[:end].reshape(shapes[0]), point[end:].reshape(shapes[1])


def test_the_representation_is_what_predictions_begin_with():
    with jax.enable_x64(True):
        network = build(n_layers=2, start="random")
        first, second = (np.asarray(matrix) for matrix in network.weights())
        kept = SquaredError().representation(network, TARGET)
    np.testing.assert_allclose(kept["map"], second @ first, atol=ROUNDING)
    np.testing.assert_allclose(kept["grams"], [first.T @ first, (second @ first).T @ second @ first], atol=ROUNDING)
    np.testing.assert_allclose(kept["output_gram"], second @ second.T, atol=ROUNDING)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SquaredError(integrator="euler"), "integrator: expected one of descent, runge-kutta, got 'euler'"),
        (lambda: DeepLinear(start="zero"), "start: expected one of aligned, balanced, random, got 'zero'"),
        (lambda: DeepLinear(n_layers=0), "n_layers: expected a whole number of at least 1, got 0"),
        (
            lambda: TrainingSpec(
                task=TASK, source=Population(), network=DeepLinear(), objective=SquaredError(integrator="runge-kutta"),
                optimizer="adam", n_steps=2, steps_per_record=1,
            ),
            "optimizer: expected sgd with integrator=runge-kutta, got 'adam'",
        ),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
