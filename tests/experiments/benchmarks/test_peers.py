"""The trainings in PyTorch: from our weights, on our batch, they have our loss, our gradient and our next weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.atlas.entries import ENTRIES
from experiments.benchmarks.pytorch import same_threads
from experiments.benchmarks.settings import BenchSettings
from experiments.benchmarks.training import make_member, with_steps
from simlab.runtime.random_keys import random_key
from simlab.runtime.settings import precision_of
from simlab.sweeps.members import stack_inputs
from simlab.training.run_state import Network
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS
from simlab.training.trainer import make_trainer

BY_NAME = {entry.name: entry for entry in ENTRIES}
ROUNDING = {"float32": 1e-5, "float64": 1e-12}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_loss_gradient_and_step_are_ours(entry):
    """To rounding: some hundred times the spacing of numbers of the type, relative to the largest entry."""
    pytest.importorskip("torch", reason="PyTorch is an optional extra")
    from experiments.benchmarks.peers.loop import begin, by_name, to_tensors, weights_of

    member = make_member(entry, BenchSettings())
    with precision_of(member.spec.dtype):
        batch, (loss, gradient), stepped = _our_step(member)
        loop = begin(entry.name.replace("-", "_"), member)
        tensors = to_tensors(batch)
        value = loop.peer.loss(*tensors)
    tolerance = ROUNDING[member.spec.dtype]
    assert float(value.detach()) == pytest.approx(float(loss), rel=tolerance)
    shapes = by_name(stepped)
    assert set(loop.peer.parameters) == set(shapes)
    value.backward()
    their_gradient = weights_of(
        loop.peer._replace(parameters={name: _gradient(p) for name, p in loop.peer.parameters.items()}), shapes
    )
    _assert_close(their_gradient, by_name(gradient), tolerance)
    if member.spec.optimizer not in LINE_SEARCH_OPTIMIZERS:  # two line searches end at different points
        loop.step(tensors)
        theirs = weights_of(loop.peer, shapes)
        if member.spec.optimizer.startswith("adam"):
            theirs, share = _where_known(theirs, shapes, by_name(gradient), tolerance)
            assert share > 0.5
        _assert_close(theirs, shapes, tolerance)


def _where_known(theirs, ours, gradient, tolerance):
    """Return their weights, with ours where the gradient is zero but for rounding, and the share of the others.

    The first step of Adam is the sign of the gradient there, and so may differ.
    """
    floor = tolerance * max(np.abs(array).max() for array in gradient.values())
    is_known = {name: np.abs(array) > floor for name, array in gradient.items()}
    share = np.mean(np.concatenate([known.ravel() for known in is_known.values()]))
    return {name: np.where(is_known[name], array, ours[name]) for name, array in theirs.items()}, share


def _gradient(parameter):
    import torch

    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _assert_close(theirs, ours, tolerance):
    scale = max(np.abs(array).max() for array in ours.values())
    for name, array in ours.items():
        np.testing.assert_allclose(theirs[name], array, rtol=0, atol=tolerance * scale, err_msg=name)


def _our_step(member):
    """Return the first batch of ours, loss and gradient of it at the start, and the weights after one step."""
    spec, trainer = member.spec, make_trainer(member.spec)
    inputs = jax.tree.map(lambda array: jnp.asarray(array[0]), stack_inputs([member]))
    problem, state = trainer.begin(random_key(inputs.seeds), inputs.data, inputs.hyperparameters)
    source = spec.source
    entries = source.plan(spec.task, problem.sample, problem.data, problem.batch_key, jnp.asarray(0), 1)
    batch = source.batch(problem.sample, jax.tree.map(lambda leaf: leaf[0], entries))
    network = _network_of(member, inputs)

    def loss(params):
        joined = network.join(params, problem.untrained)
        return spec.objective.loss(joined, batch, problem.data, inputs.hyperparameters, None)

    with jax.default_matmul_precision(spec.precision):
        found = jax.jit(jax.value_and_grad(loss))(state.params)
        stepped, bad_step = jax.jit(trainer.segment)(problem, state, inputs.hyperparameters, 0)
    assert bad_step == 0
    return batch, found, stepped.params


def _network_of(member, inputs):
    from flax import nnx

    spec = member.spec
    build = lambda: spec.network.build(  # noqa: E731
        spec.task, inputs.hyperparameters, dtype=jnp.dtype(spec.dtype), rngs=nnx.Rngs(params=0)
    )
    return Network(nnx.split(build(), nnx.Param, ...)[0])


def test_both_searches_descend_to_one_minimum():
    """The expected loss of dimensional collapse after 60 steps of L-BFGS, in float64."""
    pytest.importorskip("torch", reason="PyTorch is an optional extra")
    from experiments.benchmarks.peers.loop import begin, to_tensors

    member = with_steps(make_member(BY_NAME["dimensional-collapse"], BenchSettings()), 60)
    spec = member.spec
    with precision_of(spec.dtype):
        trainer = make_trainer(spec)
        inputs = jax.tree.map(lambda array: jnp.asarray(array[0]), stack_inputs([member]))
        problem, state = trainer.begin(random_key(inputs.seeds), inputs.data, inputs.hyperparameters)
        state, _ = jax.jit(trainer.segment)(problem, state, inputs.hyperparameters, 0)
        network = _network_of(member, inputs).join(state.params, problem.untrained)
        ours = float(spec.objective.loss(network, problem.sample, problem.data, inputs.hyperparameters, None))
        loop = begin("dimensional_collapse", member)
        loop.take(60)
        theirs = float(loop.peer.loss(*to_tensors(problem.sample)).detach())
    assert theirs == pytest.approx(ours, rel=1e-3)


@pytest.mark.parametrize("name", ["superposition", "feature-contamination"])
def test_fresh_examples_have_the_same_law(name):
    """Mean and mean square of each column, to five standard errors of 200 batches."""
    pytest.importorskip("torch", reason="PyTorch is an optional extra")
    from experiments.benchmarks.peers.loop import begin

    member = make_member(BY_NAME[name], BenchSettings())
    spec, data = member.spec, jax.tree.map(jnp.float32, member.data)
    draw = jax.jit(lambda key: jax.tree.leaves(spec.task.draw(key, data, spec.source.batch_size))[0])
    ours = np.concatenate([draw(key) for key in jax.random.split(jax.random.key(0), 200)])
    peer = begin(name.replace("-", "_"), member).peer
    theirs = np.concatenate([peer.draw()[0].cpu().numpy() for _ in range(200)])
    assert ours.shape == theirs.shape
    for power in (1, 2):
        error = np.sqrt((np.var(ours**power, axis=0) + np.var(theirs**power, axis=0)) / len(ours))
        assert np.all(np.abs(np.mean(ours**power, axis=0) - np.mean(theirs**power, axis=0)) < 5 * error)


def test_other_benchmarks_keep_their_threads():
    torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
    usual = torch.get_num_threads()
    with same_threads():
        torch.set_num_threads(usual + 1)
    assert torch.get_num_threads() == usual


def test_sentences_are_learned():
    """In 60 steps on sentences of its own the peer falls from log 24 = 3.2 nats below 2.5."""
    pytest.importorskip("torch", reason="PyTorch is an optional extra")
    from experiments.benchmarks.peers.loop import begin

    loop = begin("contextual_embeddings", make_member(BY_NAME["contextual-embeddings"], BenchSettings()))
    loop.take(60)
    assert float(loop.peer.loss(*loop.peer.draw()).detach()) < 2.5
