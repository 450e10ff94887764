"""A first sweep: a notebook as a script."""

# %% [markdown]
# # A first sweep
#
# You learn how to train a network over several weight decays and seeds from Python, and how to read learned and
# predicted values from the labelled dataset: about five minutes to read, under half a minute to run on
# two cores.
#
# The network has two layers. Its task is made of words and concepts ([Feature
# Collapse](https://arxiv.org/abs/2305.16162)): theory predicts that the embeddings of the words of a concept become
# equal, and how long they are.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from experiments import format_result, run
from theory import feature_collapse

OUT = Path("runs/first-sweep")

# %% [markdown]
# ## Train
#
# All latents are classes and every sentence is counted: here the theorem is exact. L-BFGS goes straight to the minimum.
# `vary` makes an axis, `seeds` another one; all twelve members are one compiled program. In its folder the run can be
# interrupted, and a finished one is read instead of run again.

# %%
sizes = {"n_words": 6, "sentence_length": 2, "n_classes": "all"}
dataset = run(
    "uniform-small-sample",
    **sizes,
    embedding_dim=4,
    source="population",
    optimizer="lbfgs",
    n_steps=200,
    dtype="float64",
    seeds=4,
    vary={"weight_decay": [1e-3, 3e-3, 9e-3]},
    out=OUT,
)
print(dict(dataset.sizes))
print(format_result(dataset))

# %% [markdown]
# ## Compare
#
# Learned and predicted values are labelled arrays on named axes. Here is the mean over seeds with its standard error.

# %%
norm = dataset.sel(quantity="embedding_norm", regime="uniform-small-sample")
mean, error = norm.learned.mean("seed"), norm.learned.std("seed", ddof=1) / np.sqrt(norm.sizes["seed"])
for decay in dataset.weight_decay.values:
    learned, spread, predicted = (values.sel(weight_decay=decay).item() for values in (mean, error, norm.predicted))
    print(f"weight decay {decay:g}: learned {learned:.10f} +- {spread:.1e}, predicted {predicted:.10f}")
assert np.abs(mean / norm.predicted - 1).max() < 1e-6  # what L-BFGS leaves

# %% [markdown]
# ## A control that must fail
#
# The prediction for words of Zipf frequencies, with all else equal, is another one: frequent words are longer.

# %%
zipf = feature_collapse.predict(
    n_concepts=3, **sizes, embedding_dim=4, word_frequency="zipf", weight_decay=1e-3, layer_norm=False
)
print(f"uniform {mean.sel(weight_decay=1e-3).item():.4f}, Zipf {np.round(zipf.embedding_norms, 4)}")
assert np.abs(np.array(zipf.embedding_norms) / mean.sel(weight_decay=1e-3).item() - 1).max() > 0.05

# %% [markdown]
# ## The figure
#
# The prediction is the line. Its data are in `runs/first-sweep/results.nc`.

# %%
figure, ax = plt.subplots(figsize=(3.35, 2.4), layout="constrained")
ax.plot(norm.weight_decay, norm.predicted, color="black", linewidth=0.8, label="predicted")
ax.errorbar(norm.weight_decay, mean, error, linestyle="none", marker="o", markersize=4, label="learned")
ax.set(xscale="log", xlabel="weight decay", ylabel="norm of the embeddings")
ax.legend()
figure.savefig(OUT / "first_sweep.png", dpi=200)

# %% [markdown]
# The same from the command line, with all figures:
#
# ```bash
# simlab run uniform-small-sample --n-words 6 --sentence-length 2 --n-classes all --embedding-dim 4 \
#     --source population --optimizer lbfgs --n-steps 200 --dtype float64 --seeds 4 --vary weight-decay=1e-3,3e-3,9e-3
# ```
