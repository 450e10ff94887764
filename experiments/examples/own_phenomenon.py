"""A phenomenon of your own: a notebook as a script."""

# %% [markdown]
# # A phenomenon of your own
#
# You learn how to state a task, a network, an objective and a theorem so that `run` trains, predicts and compares them:
# about twenty minutes to read, under half a minute to run on two cores.
#
# The question: **why does a product of weights select features?** A linear network with one weight per input and weight
# decay (ridge regression) shrinks every coefficient and removes none. Write each coefficient as a product of two
# weights, decay both, and weak inputs vanish altogether.

# %% [markdown]
# ## The theorem
#
# Inputs x are standard normal in n dimensions, `y = x . t + noise` with a target t and noise of variance `s^2`. The
# network is `f(x) = x . w` with `w_i = u_i v_i`, the risk `E (y - x . w)^2/2 + lam/2 (|u|^2 + |v|^2)`.
#
# **Theorem.** At the minimum `w_i = sign(t_i) max(0, |t_i| - lam)` and `|u_i| = |v_i| = sqrt|w_i|`. Input i is dropped
# iff `lam >= |t_i|`.
#
# *Proof.* For given w, `(u_i^2 + v_i^2)/2 >= |u_i v_i| = |w_i|`, with equality iff `|u_i| = |v_i|`. What is left is
# `sum_i (t_i - w_i)^2/2 + s^2/2 + lam |w|_1` over w, strictly convex. Its minimiser is where 0 is a subgradient: for
# `w_i != 0`, `w_i - t_i + lam sign(w_i) = 0`; for `w_i = 0`, `|t_i| <= lam`. That is the w above.
#
# **Of a sample** of N pairs, w deviates from this by an error that is known too. Let A be the inputs that are kept and
# `d = t - w`, so that `d_i = lam sign(t_i)` in A and `d_i = t_i` elsewhere. In A the gradient of the sample's risk
# vanishes; to first order its minimiser deviates by the mean of `x_i (noise + x . d)` less its expectation `d_i`. For
# normal x the variance of one such term is `s^2 + |d|^2 + d_i^2` (Isserlis). So the standard error of w_i is
# `sqrt((s^2 + |d|^2 + d_i^2)/N)` in A, and 0 elsewhere.

# %%
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from flax import nnx

from experiments import (Configuration, Experiment, Measured, Phenomenon, Prediction, Quantity, Regime, Variable,
                         format_result, option, run, standard_comparison, training_fields)  # fmt: skip
from simlab import Architecture, Metric, Objective, Population, Task, TrainingSpec

OUT = Path("runs/own-phenomenon")

# %% [markdown]
# ## The task
#
# `sample(seed)` draws a realisation: N pairs (x, y). The squared error depends on them through three moments, the
# means of x x^T, x y and y^2: these are the data that the program is given. `population` hands them to the loss; a task
# whose loss needs single examples has `draw(key, data, size)` instead.


# %%
@dataclass(frozen=True, kw_only=True)
class Regression(Task):
    """Normal inputs, and targets that depend on them linearly."""

    target: tuple[float, ...]
    noise: float
    n_samples: int

    def sample(self, seed):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((self.n_samples, len(self.target)))
        y = x @ self.target + self.noise * rng.standard_normal(self.n_samples)
        return x.T @ x / len(x), x.T @ y / len(x), np.mean(y**2)

    def population(self, data):
        return data


# %% [markdown]
# ## The network and the objective
#
# `build` returns a Flax NNX module; its `nnx.Param`s are trained. Here it is a matrix of factors, whose rows are
# multiplied: two rows are u and v. One row is ridge regression, which is needed below as a control. The objective has
# the loss, the weight decay of each parameter, what is recorded during training, and the arrays that are kept. The
# fields of its `Hyperparameters` are traced: a sweep over them is one compiled program.


# %%
@dataclass(frozen=True, kw_only=True)
class ProductOfWeights(Architecture):
    """``w``, the product of ``n_factors`` vectors of weights."""

    n_factors: int

    def build(self, task, hyper, *, dtype, rngs):
        shape = self.n_factors, len(task.target)
        return nnx.Dict(factors=nnx.Param(jax.random.normal(rngs.params(), shape, dtype)))


class Rates(NamedTuple):
    """What a sweep varies without a new compilation."""

    learning_rate: Any
    weight_decay: Any


@dataclass(frozen=True, kw_only=True)
class SquaredError(Objective):
    """Half the mean squared error, and the weight decay."""

    Hyperparameters: ClassVar[type] = Rates
    recorded: ClassVar = {"risk": Metric(label="risk")}

    def loss(self, network, batch, data, hyper, key):
        (inputs, products, square), w = data, jnp.prod(network["factors"][...], axis=0)
        return (square - 2 * w @ products + w @ inputs @ w) / 2

    def penalties(self, params, hyper):
        return jax.tree.map(lambda weights: hyper.weight_decay, params)

    def measure(self, network, evaluations, data, hyper, *, penalty, spec):
        return {"risk": self.loss(network, data, data, hyper, None) + penalty}

    def representation(self, network, data):
        return {"factors": network["factors"][...]}


# %% [markdown]
# ## What the user chooses
#
# Each field is an argument of `run`, an option of the command line, and may be an axis of a sweep.


# %%
@dataclass(frozen=True, kw_only=True)
class Choices(Configuration):
    """The choices of this phenomenon; those of the training (optimizer, n_steps, ...) are inherited."""

    target: tuple[float, ...] = option((2.0, 1.0, -0.5, 0.2, 0.0), "t, the coefficients that generate the data")
    noise: float = option(0.5, "s, the standard deviation of the noise")
    n_samples: int = option(10_000, "N, pairs (x, y) of each seed")
    n_factors: int = option(2, "weights whose product is a coefficient")
    weight_decay: float = option(0.3, "lam; the penalty is lam/2 |factors|^2")


def make_spec(choices):
    """Return the static part of a run."""
    task = Regression(target=choices.target, noise=choices.noise, n_samples=choices.n_samples)
    network, fields = ProductOfWeights(n_factors=choices.n_factors), training_fields(choices, choices.n_steps)
    return TrainingSpec(task=task, source=Population(), network=network, objective=SquaredError(), **fields)


# %% [markdown]
# ## The prediction
#
# It sees the choices and never the training, and says what it rests on. What it cannot treat it refuses, in one line
# that names the field.


# %%
def soft_threshold(target, decay):
    """Return ``sign(t) max(0, |t| - lam)``."""
    return np.sign(target) * np.maximum(0, np.abs(target) - decay)


def predict(choices):
    """Return what the theorem says, or for one factor ridge regression."""
    t, decay = np.array(choices.target), choices.weight_decay
    if choices.n_factors not in (1, 2):
        raise ValueError(f"n_factors: expected 1 or 2, got {choices.n_factors}")
    w = soft_threshold(t, decay) if choices.n_factors == 2 else t / (1 + decay)
    penalty = np.sum(np.abs(w)) if choices.n_factors == 2 else np.sum(w**2) / 2
    risk = np.sum((t - w) ** 2) / 2 + choices.noise**2 / 2 + decay * penalty
    quantities = {"risk": risk, "n_kept": np.sum(w != 0), "imbalance": 0.0}
    return Prediction(basis="theorem", quantities=quantities, arrays={"coefficients": w}, kind="infinite sample")


# %% [markdown]
# ## The comparison
#
# `measure` turns the trained arrays into the quantities and arrays that are declared below it.


# %%
def measure(member, run, prediction):
    """Return what a member has learned."""
    factors = run.final["factors"]
    w, sizes = np.prod(factors, axis=0), np.abs(factors)
    imbalance = np.max(sizes.max(axis=0) - sizes.min(axis=0))
    quantities = {"risk": run.last_metrics["risk"], "n_kept": np.sum(np.abs(w) > 1e-6), "imbalance": imbalance}
    return Measured(quantities=quantities, arrays={"coefficients": w}, predicted=prediction.arrays)


QUANTITIES = {
    "risk": Quantity(label="risk", headline="compared"),
    "n_kept": Quantity(label="inputs that are kept", headline="compared"),
    "imbalance": Quantity(label="largest difference of |u_i| and |v_i|", headline="learned"),
}
ARRAYS = {"coefficients": Variable(("input",), "learned coefficients w")}
COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, metrics=SquaredError.recorded, measure=measure)
EXPERIMENT = Experiment(
    name="feature-selection",
    summary="which inputs a product of weights with weight decay keeps",
    regimes=(Regime("five-inputs", "", Choices(optimizer="lbfgs", n_steps=300, n_records=10, dtype="float64")),),
    phenomenon=Phenomenon("feature-selection", Choices, predict, lambda: COMPARISON, make_spec),
)

# %% [markdown]
# ## Run it
#
# Each seed draws a sample and a start; 32 seeds at four weight decays are 128 members of one program. In its folder
# the run can be interrupted, and a finished one is read instead of run again.
#
# The first table is that of `simlab run`. The second has the coefficients with the standard errors of their means over
# seeds, and their standard deviations over seeds beside the predicted ones. A mean should be within a few predicted
# standard errors. At the smallest weight decay four coefficients are kept; the mean of their squared spread over its
# prediction is 1 up to `sqrt(2/(4 * 31)) = 0.13`.

# %%
DECAYS, N_SEEDS = (0.1, 0.35, 0.7, 1.4), 32
dataset = run(EXPERIMENT, vary={"weight_decay": DECAYS}, seeds=N_SEEDS, out=OUT / "two-factors")
print(format_result(dataset))

choices = EXPERIMENT.regimes[0].quick
t = np.array(choices.target)
learned = dataset.coefficients.isel(regime=0).transpose("seed", "weight_decay", "input").values
mean, spread = learned.mean(axis=0), learned.std(axis=0, ddof=1)
error = spread / np.sqrt(N_SEEDS)
predicted = np.array([soft_threshold(t, decay) for decay in DECAYS])
d, kept = t - predicted, predicted != 0
variance = choices.noise**2 + np.sum(d**2, axis=1, keepdims=True) + d**2
predicted_spread = np.where(kept, np.sqrt(variance / choices.n_samples), 0)
print("\nlam   t     learned               predicted  spread, predicted")
for row, i in np.ndindex(mean.shape):
    values = f"{mean[row, i]:z8.4f} +- {error[row, i]:.4f}  {predicted[row, i]:z8.4f}"
    print(f"{DECAYS[row]:4}  {t[i]:4}  {values}    {spread[row, i]:.4f}, {predicted_spread[row, i]:.4f}")

deviation = np.abs(mean - predicted)[kept] / predicted_spread[kept] * np.sqrt(N_SEEDS)
ratio = np.mean((spread[0, kept[0]] / predicted_spread[0, kept[0]]) ** 2)
print(f"largest deviation {deviation.max():.1f} standard errors; squared spread over predicted {ratio:.2f} +- 0.13")
assert deviation.max() < 5
assert abs(ratio - 1) < 5 * 0.13
assert np.abs(learned[:, :, t == 0]).max() < 1e-6  # dropped in every sample

# %% [markdown]
# ## Check it independently
#
# Each member must end at the minimiser of **its own sample**, to the accuracy of the optimiser. By the first step of
# the proof that is a Lasso, `w^T S w/2 - c . w + lam |w|_1` with the moments S and c. Coordinate descent solves it with
# neither networks nor gradients.


# %%
def lasso(sample, decay):
    """Return the minimiser by coordinate descent."""
    (inputs, products, _), w = sample, np.zeros(len(t))
    for i in [*range(len(w))] * 200:
        rest = products[i] - inputs[i] @ w + inputs[i, i] * w[i]
        w[i] = soft_threshold(rest, decay) / inputs[i, i]
    return w


samples = [make_spec(choices).task.sample(seed) for seed in range(N_SEEDS)]
exact = np.array([[lasso(sample, decay) for decay in DECAYS] for sample in samples])
print(f"network and Lasso differ by at most {np.abs(learned - exact).max():.1e}")
assert np.abs(learned - exact).max() < 1e-6

# %% [markdown]
# ## A control that must fail
#
# The product is what the theorem is about. With one factor (ridge regression) its formula must fail: coefficients
# shrink to `t/(1 + lam)` instead, and the weak input `t = 0.2` is kept at every weight decay.

# %%
ridge = run(EXPERIMENT, n_factors=1, vary={"weight_decay": DECAYS}, seeds=N_SEEDS, out=OUT / "one-factor")
ridge_learned = ridge.coefficients.isel(regime=0).transpose("seed", "weight_decay", "input").values
ridge_mean, ridge_error = ridge_learned.mean(axis=0), ridge_learned.std(axis=0, ddof=1) / np.sqrt(N_SEEDS)
off = [np.abs(ridge_mean - formula).max() for formula in (predicted, t / (1 + np.array(DECAYS)[:, None]))]
print(f"one factor is {off[0]:.2f} from the theorem of two, {off[1]:.4f} +- {ridge_error.max():.4f} from t/(1 + lam)")
assert off[0] > 0.2
assert np.abs(ridge_mean[:, t == 0.2]).min() > 0.05

# %% [markdown]
# ## The figure
#
# Its data are in `runs/own-phenomenon/two-factors/results.nc`, and those of the control beside it.

# %%
figure, axes = plt.subplots(1, 2, figsize=(6.75, 2.5), layout="constrained", sharey=True)
decays = np.linspace(0, 1.6, 200)[:, None]
two = ("two factors", soft_threshold(t, decays), mean, error)
one = ("one factor", t / (1 + decays), ridge_mean, ridge_error)
for ax, (name, lines, values, bars) in zip(axes, (two, one), strict=True):
    ax.plot(decays, lines, linewidth=0.8)
    for i in range(len(t)):
        ax.errorbar(DECAYS, values[:, i], bars[:, i], fmt="o", color=f"C{i}", markersize=4, label=f"t = {t[i]:g}")
    ax.set(xlabel="weight decay", ylabel="coefficient", title=name)
axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), title="marks learned,\nlines predicted")
figure.savefig(OUT / "own_phenomenon.png", dpi=200)

# %% [markdown]
# A file that ends with `sys.exit(main(EXPERIMENT))`, where `main` is from `experiments`, is a command with all options
# of `simlab run`: `--seeds 8 --vary n-samples=100,1000,10000`, `--plan`, `--help`. `linear_autoencoder.py` is one.
