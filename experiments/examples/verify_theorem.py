"""Verify a theorem: a notebook as a script."""

# %% [markdown]
# # Verify a theorem
#
# Unconstrained features h_i and a classifier W minimise the cross-entropy plus `lam_H/2 |H|^2 + lam_W/2 |W|^2`.
# For equal classes the minimiser is a simplex ([Zhu et al., 2021](https://arxiv.org/abs/2105.02375)); for unequal
# ones simlab solves a convex problem. Check both without any code of simlab's: the gradient at the predicted point,
# and a descent from random starts. About five seconds.

# %%
import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from theory import neural_collapse

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
# The risk and its gradient in plain NumPy. Rows of `features` are samples, class by class.

# %%
labels = np.repeat(np.arange(len(SAMPLES)), SAMPLES)
shapes = (len(labels), prediction.class_means.shape[1]), prediction.classifier.shape


def risk(parameters):
    """Return the risk and its gradient."""
    features, classifier = np.split(parameters, [np.prod(shapes[0])])
    features, classifier = features.reshape(shapes[0]), classifier.reshape(shapes[1])
    logits = features @ classifier.T
    log_softmax = logits - logsumexp(logits, axis=1, keepdims=True)
    value = -log_softmax[np.arange(len(labels)), labels].mean()
    value += DECAY_H / 2 * np.sum(features**2) + DECAY_W / 2 * np.sum(classifier**2)
    residual = (np.exp(log_softmax) - np.eye(len(SAMPLES))[labels]) / len(labels)
    return value, np.concatenate(
        [(residual @ classifier + DECAY_H * features).ravel(), (residual.T @ features + DECAY_W * classifier).ravel()]
    )


# %% [markdown]
# **At the predicted point** the gradient vanishes, and the risk is the predicted one.

# %%
point = np.concatenate([prediction.class_means[labels].ravel(), prediction.classifier.ravel()])
value, gradient = risk(point)
print(f"risk {value:.12f}, predicted {prediction.risk:.12f}; largest gradient {np.abs(gradient).max():.1e}")
assert abs(value - prediction.risk) < 1e-12  # some hundred roundings of numbers of order 1
assert np.abs(gradient).max() < 1e-12  # of the same order

# %% [markdown]
# **From random starts** descent never ends below it, and reaches it.

# %%
rng = np.random.default_rng(0)
ends = [
    minimize(risk, rng.normal(size=point.size), jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15})
    for _ in range(8)
]
excess = np.array([end.fun for end in ends]) - prediction.risk
print(f"eight starts end {excess.min():.1e} to {excess.max():.1e} nats above the prediction")
assert excess.min() > -1e-12
assert excess.min() < 1e-8

# %% [markdown]
# **A control that must fail:** the simplex of equal classes is not the minimiser of unequal ones.

# %%
equal = predict(6)
elsewhere = np.concatenate([equal.class_means[labels].ravel(), equal.classifier.ravel()])
print(f"the simplex of equal classes is {risk(elsewhere)[0] - prediction.risk:.1e} nats worse")
assert risk(elsewhere)[0] > prediction.risk + 1e-6

# %% [markdown]
# `simlab verify neural-collapse` checks this and more, for many class sizes and weight decays.
