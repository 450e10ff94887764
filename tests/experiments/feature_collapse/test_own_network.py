"""A network of a user's own is swept with no field of simlab's own networks, and no theorem is claimed for it."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from experiments import Experiment, Regime, run
from experiments.feature_collapse.configuration import QUICK
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE
from experiments.feature_collapse.training_spec import make_training_spec
from experiments.neural_collapse.phenomenon import NEURAL_COLLAPSE
from experiments.neural_collapse.training_spec import make_training_spec as make_class_spec
from experiments.tables.result import format_result
from figures import figures_of
from simlab import Architecture
from simlab.networks.specs import TwoLayer, VectorMeasures
from simlab.networks.specs.free_features import FreeFeatures

TASK = {"n_words": 6, "sentence_length": 2, "n_classes": "all", "embedding_dim": 3, "n_evaluation": 20}
SMALL = QUICK.replace(**TASK, source="population", epochs=None, n_steps=6, n_records=2, optimizer="lbfgs")


@dataclass(frozen=True, kw_only=True)
class Doubled(VectorMeasures, Architecture):
    """Two layers of which the words count twice: another parametrisation, so another risk."""

    dim: int

    def build(self, task, hyper, *, dtype, rngs):
        network = TwoLayer(embedding_dim=self.dim).build(task, hyper, dtype=dtype, rngs=rngs)
        return Doubling(network.embeddings, network.classifier)


class Doubling(nnx.Module):
    def __init__(self, embeddings, classifier):
        self.embeddings, self.classifier = embeddings, classifier

    def representation(self, data=None):
        return 2 * self.embeddings[...]

    def __call__(self, sentences):
        return jnp.einsum("bld,kld->bk", self.representation()[sentences], self.classifier[...])


@dataclass(frozen=True, kw_only=True)
class OwnFeatures(FreeFeatures):
    """Free features under another name: what is built may differ."""


@dataclass(frozen=True, kw_only=True)
class Unmeasured(Architecture):
    def build(self, task, hyper, *, dtype, rngs):
        return TwoLayer(embedding_dim=3).build(task, hyper, dtype=dtype, rngs=rngs)


def experiment_with(network, **changes):
    make_spec = lambda configuration: replace(make_training_spec(configuration), network=network)  # noqa: E731
    phenomenon = FEATURE_COLLAPSE._replace(make_training_spec=make_spec)
    return Experiment(
        name="own", summary="", regimes=(Regime("own", "", SMALL.replace(**changes)),), phenomenon=phenomenon
    )


@pytest.fixture(scope="module")
def dataset():
    return run(experiment_with(Doubled(dim=3)), vary={"weight_decay": [1e-3, 1e-2]}, seeds=2)


def test_it_is_swept_compared_and_tabulated(dataset):
    assert dataset.sizes["weight_decay"] == 2
    assert np.all(np.isfinite(dataset.learned.sel(quantity="embedding_norm")))
    assert "theory of two layers" in format_result(dataset)


def test_no_theorem_no_certificate_and_no_exact_minimum_are_claimed(dataset):
    assert set(dataset.basis.values.ravel()) == {"theory of two layers"}
    assert not dataset.is_theorem.any()
    assert np.isnan(dataset.duality_gap).all()
    assert np.isnan(dataset.exact_minimum).all()
    assert "Doubled: the prediction is for the two-layer network" in dataset.note.values.ravel()[0]


def test_of_simlabs_own_they_are():
    """The same task and the same training, of the network that theory is about."""
    dataset = run(experiment_with(TwoLayer(embedding_dim=3), n_steps=60))
    assert dataset.is_theorem.all()
    assert set(dataset.basis.values.ravel()) == {"theorem"}
    assert np.isfinite(dataset.duality_gap).all()


def test_features_of_ones_own_are_no_theorem():
    make_spec = lambda configuration: replace(make_class_spec(configuration), network=OwnFeatures(feature_dim=16))  # noqa: E731
    phenomenon = NEURAL_COLLAPSE._replace(make_training_spec=make_spec)
    regime = Regime("own", "", NEURAL_COLLAPSE.configuration(n_steps=2, n_records=1))
    dataset = run(Experiment(name="own", summary="", regimes=(regime,), phenomenon=phenomenon))
    assert set(dataset.basis.values.ravel()) == {"theory of free features"}


def test_what_cross_entropy_needs_is_said_in_one_line():
    line = (
        r"^network: expected an Architecture with measure and metric_names, such as .*VectorMeasures, got 'Unmeasured'$"
    )
    with pytest.raises(ValueError, match=line):
        experiment_with(Unmeasured()).plan("quick", {})


def test_its_figures_are_those_of_the_phenomenon(dataset):
    assert figures_of(dataset)
