"""A first sweep: a notebook as a script."""

# %% [markdown]
# # A first sweep
#
# Train a two-layer network on a task of words and concepts at three weight decays and four seeds, and compare the
# learned norms with those that theory predicts. About ten seconds on two cores.

# %%
import matplotlib.pyplot as plt
import numpy as np

from experiments.sweep import run

# %% [markdown]
# All latents are classes and every sentence is counted: here the theorem is exact. L-BFGS goes straight to the minimum.
# `vary` makes an axis, `seeds` another one; all twelve members are one compiled program.

# %%
dataset = run(
    "uniform-small-sample",
    n_words=6,
    sentence_length=2,
    n_classes="all",
    embedding_dim=4,
    source="population",
    optimizer="lbfgs",
    n_steps=200,
    dtype="float64",
    seeds=4,
    vary={"weight_decay": [1e-3, 3e-3, 9e-3]},
)
print(dataset.sizes)

# %% [markdown]
# Learned and predicted values are labelled arrays on named axes. Here is the mean over seeds with its standard error.

# %%
norm = dataset.sel(quantity="embedding_norm", regime="uniform-small-sample")
mean, error = norm.learned.mean("seed"), norm.learned.std("seed", ddof=1) / np.sqrt(norm.sizes["seed"])
for decay in dataset.weight_decay.values:
    learned, spread, predicted = (values.sel(weight_decay=decay).item() for values in (mean, error, norm.predicted))
    print(f"weight decay {decay:g}: learned {learned:.10f} +- {spread:.1e}, predicted {predicted:.10f}")

# %% [markdown]
# One figure, with the prediction as a line.

# %%
figure, ax = plt.subplots(figsize=(3.35, 2.4), layout="constrained")
ax.plot(norm.weight_decay, norm.predicted, color="black", linewidth=0.8, label="predicted")
ax.errorbar(norm.weight_decay, mean, error, linestyle="none", marker="o", markersize=4, label="learned")
ax.set(xscale="log", xlabel="weight decay", ylabel="norm of the embeddings")
ax.legend()
figure.savefig("first_sweep.png", dpi=200)

# %% [markdown]
# The same from the command line, resumable and with all figures:
#
# ```bash
# simlab run uniform-small-sample --n-words 6 --sentence-length 2 --n-classes all --embedding-dim 4 \
#     --source population --optimizer lbfgs --n-steps 200 --dtype float64 --seeds 4 --vary weight-decay=1e-3,3e-3,9e-3
# ```
