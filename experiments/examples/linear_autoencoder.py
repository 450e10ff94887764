"""A linear autoencoder with weight decay: a phenomenon of one's own, complete in one file.

Minimise ``E|x - W2 W1 x|^2 / 2 + lam/2 (|W1|^2 + |W2|^2)`` over W1 (h x n) and W2 (n x h), h >= n, for Gaussian x of
covariance S. Theorem (after Kunin et al., arXiv 1901.08168): ``M = W2 W1`` has the eigenvectors of S and eigenvalues
``m_i = max(0, 1 - lam/s_i)``; the singular values of W1 and W2 are ``sqrt(m_i)``. A direction vanishes iff lam >= s_i.

Proof. The least ``(|W1|^2 + |W2|^2)/2`` with ``W2 W1 = M`` is the nuclear norm of M, attained only by layers whose
singular values are the roots of its own. So M minimises ``tr((I - M) S (I - M)^T)/2 + lam |M|_*``, strictly convex as
S > 0. At the M above the eigenvalues of ``(I - M) S`` are ``min(s_i, lam)``: lam on the range of M, no more elsewhere,
lam times a subgradient of the nuclear norm at M. So M is stationary, hence the minimiser.
"""

import sys
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from matplotlib.figure import Figure

from experiments import (Configuration, Experiment, Measured, Phenomenon, Prediction, Quantity, Regime, Variable,
                         main, option, standard_comparison, training_fields)  # fmt: skip
from simlab import Architecture, Metric, Objective, Population, Task, TrainingSpec


@dataclass(frozen=True, kw_only=True)
class Covariance(Task):
    """Inputs of a covariance S with given eigenvalues, its eigenvectors drawn at random."""

    variances: tuple[float, ...]

    def sample(self, seed):
        vectors, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(self.variances),) * 2))
        return vectors * np.array(self.variances) @ vectors.T

    def population(self, data):
        return data  # the expected loss depends on S alone


@dataclass(frozen=True, kw_only=True)
class LinearAutoencoder(Architecture):
    """``x -> W2 W1 x``."""

    n_hidden: int

    def build(self, task, hyper, *, dtype, rngs):
        shapes = {"encoder": (self.n_hidden, len(task.variances)), "decoder": (len(task.variances), self.n_hidden)}
        draw = lambda shape: hyper.initial_scale * jax.random.normal(rngs.params(), shape, dtype)
        return nnx.Dict({name: nnx.Param(draw(shape)) for name, shape in shapes.items()})


class Rates(NamedTuple):
    """What a sweep varies without a new compilation; each is a field of the configuration."""

    learning_rate: Any
    initial_scale: Any
    weight_decay: Any


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Objective):
    """Half the expected squared error, and the weight decay."""

    Hyperparameters: ClassVar[type] = Rates
    recorded: ClassVar = {"risk": Metric(label="risk")}

    def loss(self, network, batch, data, hyper, key):
        residual = jnp.eye(len(data)) - network["decoder"][...] @ network["encoder"][...]
        return jnp.sum(residual @ data * residual) / 2

    def penalties(self, params, hyper):
        return jax.tree.map(lambda weights: hyper.weight_decay, params)

    def measure(self, network, evaluations, data, hyper, *, penalty, spec):
        return {"risk": self.loss(network, data, data, hyper, None) + penalty}

    def representation(self, network, data):
        return {name: network[name][...] for name in ("encoder", "decoder")}


@dataclass(frozen=True, kw_only=True)
class Choices(Configuration):
    """What a user may set: every field is an option of the command line and may be an axis of a sweep."""

    variances: tuple[float, ...] = option((4.0, 3.0, 2.0, 1.0, 0.5), "eigenvalues of the covariance of the inputs")
    n_hidden: int = option(6, "hidden units, at least as many as inputs")
    weight_decay: float = option(0.3, "lam; the penalty is lam/2 (|W1|^2 + |W2|^2)")
    initial_scale: float = option(0.3, "standard deviation of the initial weights")


def make_spec(choices):
    """Return the static part of a run."""
    task, network = Covariance(variances=choices.variances), LinearAutoencoder(n_hidden=choices.n_hidden)
    fields = training_fields(choices, choices.n_steps)
    return TrainingSpec(task=task, source=Population(), network=network, objective=Reconstruction(), **fields)


def predict(choices):
    """Return what the theorem says."""
    if choices.n_hidden < len(choices.variances):
        raise ValueError(f"n_hidden: expected at least {len(choices.variances)} hidden units, got {choices.n_hidden}")
    lam, s = choices.weight_decay, np.sort(choices.variances)[::-1]
    m = np.maximum(0, 1 - lam / s)
    quantities = {"risk": np.sum((1 - m) ** 2 * s / 2 + lam * m), "rank": np.sum(m > 0), "imbalance": 0.0}
    return Prediction(basis="theorem", quantities=quantities, arrays={"eigenvalues": m}, kind="shrunk identity")


def measure(member, run, prediction):
    """Return what a member has learned: the entries of M along the eigenvectors of its covariance."""
    m, vectors = prediction.arrays["eigenvalues"], np.linalg.eigh(member.data)[1][:, ::-1]
    layers = [np.linalg.svd(run.final[name], compute_uv=False)[: len(m)] for name in ("encoder", "decoder")]
    imbalance = np.abs(np.array(layers) - np.sqrt(m)).max()
    quantities = {"risk": run.last_metrics["risk"], "rank": np.sum(layers[0] > 1e-2), "imbalance": imbalance}
    learned = np.diag(vectors.T @ run.final["decoder"] @ run.final["encoder"] @ vectors)
    return Measured(quantities=quantities, arrays={"eigenvalues": learned}, predicted={"eigenvalues": m})


QUANTITIES = {
    "risk": Quantity(label="risk", headline="compared"),
    "rank": Quantity(label="rank of M", headline="compared"),
    "imbalance": Quantity(label="singular values of the layers less sqrt(m), largest"),
}
ARRAYS = {"eigenvalues": Variable(("direction",), "learned eigenvalues of M")}
COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, metrics=Reconstruction.recorded, measure=measure)


def shrinkage(dataset):
    """Draw the eigenvalues of M against the weight decay: marks learned, lines predicted."""
    figure = Figure(figsize=(3.35, 2.4), layout="constrained")
    cells, ax = dataset.isel(regime=0).mean("seed").transpose("weight_decay", "direction", ...), figure.subplots()
    ax.plot(cells.weight_decay, cells.eigenvalues_predicted, color="black", linewidth=0.8)
    ax.plot(cells.weight_decay, cells.eigenvalues, "o", markersize=3)
    ax.set(xlabel="weight decay", ylabel="eigenvalue of $W_2 W_1$")
    return figure


EXPERIMENT = Experiment(
    name="linear-autoencoder",
    summary="which directions a linear autoencoder with weight decay keeps",
    regimes=(Regime("five-inputs", "", Choices(optimizer="lbfgs", n_steps=200, n_records=20, dtype="float64")),),
    phenomenon=Phenomenon("linear-autoencoder", Choices, predict, lambda: COMPARISON, make_spec), seeds={"quick": 3},
    vary={"quick": {"weight_decay": (0.1, 0.4, 0.6, 0.9, 1.1, 1.9, 2.1, 2.9, 3.1, 3.5)}}, figures=(shrinkage,),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(EXPERIMENT))
