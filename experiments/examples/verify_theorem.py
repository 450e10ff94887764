"""Verify a theorem: a notebook as a script."""

# %% [markdown]
# # Verify a theorem
#
# You learn how to hold a prediction against computations that share no code with it: its gradient, descent from random
# starts, and a control that must fail. About ten minutes to read and under ten seconds to run.
#
# Unconstrained features h_i and a classifier W minimise the cross-entropy plus `lam_H/2 |H|^2 + lam_W/2 |W|^2`.
# For equal classes the minimiser is a simplex ([Zhu et al., 2021](https://arxiv.org/abs/2105.02375)); for unequal
# ones simlab solves a convex problem.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from theory import neural_collapse

OUT = Path("runs/verify-theorem")
SAMPLES = (8, 8, 3)
DECAY_H, DECAY_W = 2e-3, 1e-2


def predict(samples_per_class):
    """Return the predicted minimiser."""
    return neural_collapse.predict(
        n_classes=3,
        samples_per_class=samples_per_class,
        feature_weight_decay=DECAY_H,
        classifier_weight_decay=DECAY_W,
    )


prediction = predict(SAMPLES)
print(prediction)

# %% [markdown]
# ## The risk, in plain NumPy
#
# Rows of `features` are samples, class by class.

# %%
labels = np.repeat(np.arange(len(SAMPLES)), SAMPLES)
shapes = (len(labels), prediction.class_means.shape[1]), prediction.classifier.shape


def parts(parameters):
    """Return features and classifier."""
    features, classifier = np.split(parameters, [np.prod(shapes[0])])
    return features.reshape(shapes[0]), classifier.reshape(shapes[1])


def risk(parameters):
    """Return the risk and its gradient."""
    features, classifier = parts(parameters)
    logits = features @ classifier.T
    log_softmax = logits - logsumexp(logits, axis=1, keepdims=True)
    value = -log_softmax[np.arange(len(labels)), labels].mean()
    value += DECAY_H / 2 * np.sum(features**2) + DECAY_W / 2 * np.sum(classifier**2)
    residual = (np.exp(log_softmax) - np.eye(len(SAMPLES))[labels]) / len(labels)
    return value, np.concatenate(
        [(residual @ classifier + DECAY_H * features).ravel(), (residual.T @ features + DECAY_W * classifier).ravel()]
    )


# %% [markdown]
# ## At the predicted point
#
# The gradient vanishes, and the risk is the predicted one.

# %%
point = np.concatenate([prediction.class_means[labels].ravel(), prediction.classifier.ravel()])
value, gradient = risk(point)
print(f"risk {value:.12f}, predicted {prediction.risk:.12f}; largest gradient {np.abs(gradient).max():.1e}")
assert abs(value - prediction.risk) < 1e-12  # some hundred roundings of numbers of order 1
assert np.abs(gradient).max() < 1e-12  # of the same order

# %% [markdown]
# ## From random starts
#
# Descent never ends below it, and reaches it. Features and classifier are known up to a rotation, so that norms are
# compared: of the mean feature of each class, over eight starts.

# %%
rng = np.random.default_rng(0)
paths, ends = [], []
for _ in range(8):
    path = []
    end = minimize(
        risk,
        rng.normal(size=point.size),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
        callback=lambda xk, path=path: path.append(risk(xk)[0] - prediction.risk),
    )
    paths.append(np.array(path))
    ends.append(end.x)
excess = np.array([path[-1] for path in paths])
print(f"eight starts end {excess.min():.1e} to {excess.max():.1e} nats above the prediction")
assert excess.min() > -1e-12
assert excess.max() < 1e-8

features = np.array([parts(end)[0] for end in ends])
norms = np.linalg.norm([features[:, labels == label].mean(axis=1) for label in range(3)], axis=-1)
predicted_norms = np.linalg.norm(prediction.class_means, axis=1)
mean, error = norms.mean(axis=1), norms.std(axis=1, ddof=1) / np.sqrt(len(ends))
for size, learned, spread, predicted in zip(SAMPLES, mean, error, predicted_norms, strict=True):
    print(f"class of {size}: norm {learned:.6f} +- {spread:.1e}, predicted {predicted:.6f}")
assert np.abs(norms - predicted_norms[:, None]).max() < 1e-6  # a gradient of 1e-9 over curvatures of about 1e-3

# %% [markdown]
# ## A control that must fail
#
# The simplex of equal classes is not the minimiser of unequal ones.

# %%
equal = predict(6)
elsewhere = np.concatenate([equal.class_means[labels].ravel(), equal.classifier.ravel()])
control = risk(elsewhere)[0] - prediction.risk
print(f"the simplex of equal classes is {control:.1e} nats worse")
assert control > 1e-6

# %% [markdown]
# ## The figure
#
# How far each start is above the prediction, by iteration: below the control, and down to rounding. The data are saved
# beside it.

# %%
figure, ax = plt.subplots(figsize=(3.35, 2.4), layout="constrained")
for path in paths:
    ax.plot(np.maximum(path, 1e-16), color="C0", linewidth=0.8, alpha=0.7)
ax.axhline(control, color="black", linewidth=0.8, linestyle="--", label="simplex of equal classes")
ax.set(yscale="log", xlabel="iteration", ylabel="risk less predicted (nats)")
ax.legend(loc="upper right")
OUT.mkdir(parents=True, exist_ok=True)
figure.savefig(OUT / "verify_theorem.png", dpi=200)
np.savez(
    OUT / "verify_theorem.npz",
    **{f"excess_{number}": path for number, path in enumerate(paths)},
    control=control,
    norms=norms,
    predicted_norms=predicted_norms,
)

# %% [markdown]
# `simlab verify neural-collapse` checks this and more, for many class sizes and weight decays.
