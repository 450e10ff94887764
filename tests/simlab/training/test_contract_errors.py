"""A broken contract of an objective, a task, a network or a specification is one line that names the field."""

import re
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from simlab.data.sources import FixedSample, FreshExamples, Population
from simlab.losses.objective import FINITE, Bound, Objective, check_hyperparameters
from simlab.networks.specs.architecture import Architecture
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.task import Task

pytestmark = pytest.mark.quick

ONE_LINE = "[^\n]*$"


def bad_metrics(lab, kind):
    """An objective whose metrics break the contract in one way."""
    base = lab.LeastSquares

    class Broken(base):
        divergence_metric = "loss" if kind == "no divergence metric" else "risk"

        def metrics(self, spec):
            declared = base.metrics(self, spec)
            if kind == "other names":
                del declared["risk"]
            return declared | ({"gradient_norm": declared["risk"]} if kind == "taken name" else {})

        def measure(self, network, evaluations, data, hyper, *, penalty, spec):
            metrics = base.measure(self, network, evaluations, data, hyper, penalty=penalty, spec=spec)
            if kind == "vector":
                return metrics | {"test_mean": jnp.ones(3)}
            if kind == "tuple":
                return tuple(metrics.values())
            return metrics | {"gradient_norm": 0.0} if "taken" in kind else metrics

    return Broken()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("vector", r"metrics test_mean: expected a scalar, got 'an array of shape \(3,\)'"),
        ("tuple", "metrics: expected a mapping with the names risk, train_loss, .*, got 'tuple'"),
        ("other names", "metrics: expected a mapping with the names train_loss, .*, got 'risk, "),
        ("no divergence metric", "divergence_metric: expected one of the metrics risk, .*, got 'loss'"),
        ("taken name", "metrics: expected a name other than gradient_norm, which every record has, got "),
    ],
)
def test_bad_metrics_are_named(lab, kind, message):
    """The message is one line; JAX adds a note, which is no part of it, to what is raised while it traces."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        lab.train(lab.make_spec(objective=bad_metrics(lab, kind)))
    assert re.fullmatch(f"{message}.*", str(caught.value))


class NoRate(NamedTuple):
    step_size: Any = 0.1


@pytest.mark.parametrize("name", ["Hyperparameters", "loss", "measure", "representation"])
def test_what_an_objective_lacks_is_named(lab, name):
    class Lacking(lab.LeastSquares):
        pass

    setattr(Lacking, name, getattr(Objective, name, None))
    with pytest.raises(ValueError, match=rf"^objective: expected an Objective with {name}, got 'Lacking'$"):
        lab.make_spec(objective=Lacking())


@pytest.mark.parametrize("fields", [NoRate, dict])
def test_hyperparameters_have_a_learning_rate(lab, fields):
    class Rateless(lab.LeastSquares):
        Hyperparameters = fields

    with pytest.raises(ValueError, match=rf"^objective: expected Hyperparameters, a NamedTuple with a learn{ONE_LINE}"):
        lab.make_spec(objective=Rateless())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"first_factor": 2.5}, "first_factor: expected a number from 0 to 2, got 2.5"),
        ({"first_factor": "1"}, "first_factor: expected a number from 0 to 2, got '1'"),
        ({"first_factor": True}, "first_factor: expected a number from 0 to 2, got True"),
        ({"first_factor": np.float32(-1)}, "first_factor: expected a number from 0 to 2, got -1.0"),
        ({"learning_rate": 0.0}, "learning_rate: expected a positive finite number, got 0.0"),
        ({"pretraining_rate": -0.1}, "pretraining_rate: expected a positive finite number, got -0.1"),
        ({"initial_scale": float("inf")}, "initial_scale: expected a finite number, got inf"),
        ({"weight_decay": -1.0}, "weight_decay: expected a non-negative finite number, got -1.0"),
        ({"weight_decay": float("nan")}, "weight_decay: expected a non-negative finite number, got nan"),
    ],
)
def test_a_hyperparameter_out_of_its_bounds_is_named(lab, values, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        train_members([Member(lab.make_spec(), lab.Hyper(**values), 0)])


@pytest.mark.parametrize(
    ("bound", "inside", "outside"),
    [
        (Bound(low=-1.0, high=1.0), (-1.0, 0, 1.0), (-1.1, 1.1, float("nan"))),
        (Bound(low=-1.0, high=1.0, open_low=True), (-0.9, 1.0), (-1.0,)),
        (Bound(low=2.0), (2.0, 1e300), (1.9, float("inf"))),
        (FINITE, (-1e300, 0.0), (float("-inf"), None)),
    ],
)
def test_bounds_hold_their_ends_unless_they_are_open(bound, inside, outside):
    for value in inside:
        assert bound.check("temperature", value) == value
    for value in outside:
        with pytest.raises(ValueError, match=rf"^temperature: expected a [^\n]*number{ONE_LINE}"):
            bound.check("temperature", value)


def test_hyperparameters_of_another_objective_are_refused(lab):
    message = "^hyperparameters: expected the Hyperparameters of LeastSquares, got 'DecoupledHyper'$"
    with pytest.raises(ValueError, match=message):
        check_hyperparameters(lab.LeastSquares(), lab.DecoupledHyper())
    with pytest.raises(ValueError, match=message):
        train_members([Member(lab.make_spec(), lab.DecoupledHyper(), 0)])


class Undrawable(Task):
    def sample(self, seed):
        return np.ones(3)


class Unsampled(Task):
    pass


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": Unsampled()}, r"task: expected a Task with a method sample\(seed\), got 'Unsampled'"),
        ({"task": "regression"}, r"task: expected a Task with a method sample\(seed\), got 'str'"),
        ({"task": Undrawable()}, "source: expected fixed or fresh, as Undrawable has no population, got 'population'"),
        (
            {"task": Undrawable(), "source": FixedSample(n_examples=4, batch_size=2)},
            "task: expected one with a method draw or draw_sample, got 'Undrawable'",
        ),
        (
            {"task": Undrawable(), "source": FreshExamples(batch_size=2)},
            "task: expected one with a method draw, got 'Undrawable'",
        ),
        ({"network": Architecture}, "network: expected an Architecture with a method build, got "),
        (
            {"source": FreshExamples(batch_size=2), "until_gradient_norm": 0.1},
            "until: expected a fixed sample or the population, as fresh examples have no gradient that ends, got ",
        ),
        ({"until_gradient_norm": 0.0}, "until_gradient_norm: expected a positive finite number, got 0.0"),
        ({"n_steps": 5}, "n_steps: expected a multiple of steps_per_record=2, got 5"),
        ({"n_steps": -2}, "n_steps: expected a whole number of at least 0, got -2"),
    ],
)
def test_what_a_specification_lacks_is_named(lab, fields, message):
    with pytest.raises(ValueError, match=f"^{message}{ONE_LINE}"):
        lab.make_spec(**fields)


def test_a_source_needs_only_the_methods_that_it_uses(lab):
    """A balanced sample alone suffices where no other set is drawn; a task with a population need not draw."""

    class SampleAlone(Undrawable):
        evaluations = ()

        def draw_sample(self, key, data, size):
            return jnp.ones((size, 3))

    FixedSample(n_examples=4, batch_size=2).check(SampleAlone())
    with pytest.raises(ValueError, match=rf"^task: expected one with a method draw, got{ONE_LINE}"):
        FreshExamples(batch_size=2).check(SampleAlone())
    with pytest.raises(ValueError, match=rf"^source: expected fixed or fresh{ONE_LINE}"):
        Population().check(SampleAlone())
