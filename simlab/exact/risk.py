"""The risk of a network over weighted sentences, in float64, for :mod:`simlab.exact.minimise`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.networks.layer_norm import layer_norm
from simlab.tasks.batch import AnyArray
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# The most entries of an array of one evaluation, (sentences, classes) or (sentences, words x positions): 160 MB.
ENTRY_LIMIT = 20_000_000


class WeightedSentences(NamedTuple):
    """Labelled sentences with their probabilities, NumPy arrays.

    Attributes:
        sentences: ``Int[N, L]``, word numbers.
        classes: ``Int[N]``; with several heads ``Int[N, F]``, one class per head.
        probabilities: ``Float64[N]``, summing to 1.
    """

    sentences: Int[np.ndarray, "N L"]
    classes: Int[np.ndarray, " N"] | Int[np.ndarray, "N F"]
    probabilities: Float[np.ndarray, " N"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactRisk:
    """A risk, defined by sentences, network and penalty.

        ``R = sum_n p_n [logsumexp(z_n) - sum_k t_nk z_nk] + lam_W/2 |W|^2 + lam_U/2 |U|^2``

    with logits ``z_nk = sum_l <u_kl, w_{x_nl}>`` and targets ``t_nk = (1 - eps) 1[k = class] + eps/K``. Several *heads*
    share the words: the ``K`` classes are divided into heads of ``K_f`` classes, every sentence has a class in each
    head, the cross-entropies of the heads are added, and the targets of head ``f`` have ``eps/K_f``:

        ``R = sum_n p_n sum_f [logsumexp(z_n over head f) - sum_{k in f} t_nk z_nk] + lam_W/2 |W|^2 + lam_U/2 |U|^2``

    Args:
        population: every sentence with its probability, or a weighted training set.
        n_words: ``n_w``. A word that occurs in no sentence becomes zero, and is undetermined under LayerNorm.
        n_classes: ``K``, of all heads together.
        embedding_dim: ``d``; ``h`` needs at least ``n_c - 1``, ``h*`` at least ``n_c`` and better ``n_c + 1`` (at
            ``n_c`` some runs end in local minima, and at 2 the normalised vectors have only two values).
        weight_decay: ``lam``, or ``(lam_W, lam_U)``; under LayerNorm words are not penalised and ``lam_W`` must be 0.
        layer_norm: whether words are normalised (the network ``h*``).
        label_noise: ``eps``, the probability that a label is redrawn, uniformly over the classes of its head.
        heads: sizes ``K_f`` of the heads, whose sum is ``K``, or None for a single head with the classes ``Int[N]``.
        confusions: ``Float[K, K]``, row ``k`` is the distribution of the label in class ``k``, which replaces
            ``1[k = class]``; None for hard labels. For a single head only.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """

    population: WeightedSentences
    n_words: int
    n_classes: int
    embedding_dim: int
    weight_decay: float | tuple[float, float]
    layer_norm: bool = False
    label_noise: float = 0.0
    heads: tuple[int, ...] | None = None
    confusions: Float[np.ndarray, "K K"] | None = None

    def __post_init__(self):
        check_count("n_words", self.n_words)
        check_count("n_classes", self.n_classes, 2)
        check_count("embedding_dim", self.embedding_dim, 2 if self.layer_norm else 1)
        weight_decays(self.weight_decay, self.layer_norm)
        if check_real("label_noise", self.label_noise) > 1:
            raise invalid("label_noise", "a number in [0, 1]", self.label_noise)
        population = WeightedSentences(*(np.asarray(part) for part in self.population))
        object.__setattr__(self, "population", population)
        _check_heads(self.heads, self.n_classes)
        _check_confusions(self.confusions, self.n_classes, self.heads)
        _check_population(population, self.n_words, self.n_classes, self.heads)

    @property
    def shape(self) -> Shape:
        """The static part: minimisers are compiled once for each shape."""
        length = self.population.sentences.shape[1]
        heads = self.heads or (self.n_classes,)
        return Shape(self.n_words, self.n_classes, length, self.embedding_dim, bool(self.layer_norm), heads)

    def data(self) -> RiskData:
        """Return the arrays of the risk."""
        sentences, classes, probabilities = self.population
        one_hot = (sentences[..., None] == np.arange(self.n_words)).reshape(len(sentences), -1)
        columns = zip(self.shape.heads, classes.reshape(len(classes), -1).T, strict=True)
        noise = self.label_noise
        laws = [self.confusions] if self.confusions is not None else [np.eye(size) for size in self.shape.heads]
        labels = zip(laws, columns, strict=True)
        targets = np.hstack([(1 - noise) * law[column] + noise / size for law, (size, column) in labels])
        decays = np.array(weight_decays(self.weight_decay, self.layer_norm))
        return RiskData(one_hot.astype(np.float64), targets, probabilities.astype(np.float64), decays)


class Shape(NamedTuple):
    """Sizes of the parameters, whether words are normalised, and the size of each head; hashable."""

    n_words: int
    n_classes: int
    length: int
    dim: int
    layer_norm: bool
    heads: tuple[int, ...]

    @property
    def n_parameters(self) -> int:
        """Number of entries of ``W`` and ``U``."""
        return (self.n_words + self.n_classes * self.length) * self.dim


class RiskData(NamedTuple):
    """The arrays of a risk, a pytree: one-hot words ``[N, L n_w]``, targets ``[N, K]``, ``p[N]`` and weight decays."""

    one_hot: AnyArray
    targets: AnyArray
    probabilities: AnyArray
    decays: AnyArray


def unpack(
    shape: Shape, point: Float[AnyArray, "*batch P"]
) -> tuple[Float[AnyArray, "*batch n_w d"], Float[AnyArray, "*batch K L d"]]:
    """Split a flat vector into embeddings and classifier, with leading axes preserved. Any backend."""
    size = shape.n_words * shape.dim
    embeddings = point[..., :size].reshape(*point.shape[:-1], shape.n_words, shape.dim)
    return embeddings, point[..., size:].reshape(*point.shape[:-1], shape.n_classes, shape.length, shape.dim)


def cross_entropy(shape: Shape, data: RiskData, point: Float[jax.Array, " P"]) -> Float[jax.Array, ""]:
    """Return the expected cross-entropy at a flat vector of parameters, nats."""
    embeddings, classifier = unpack(shape, point)
    words = layer_norm(embeddings) if shape.layer_norm else embeddings
    table = jnp.einsum("wd,kld->lwk", words, classifier).reshape(-1, shape.n_classes)
    logits = data.one_hot @ table
    return data.probabilities @ (_log_normaliser(shape.heads, logits) - jnp.sum(data.targets * logits, axis=1))


def _log_normaliser(heads: tuple[int, ...], logits: Float[jax.Array, "N K"]) -> Float[jax.Array, " N"]:
    """Return the sum over heads of ``logsumexp(z)`` over the classes of the head, ``Float[N]``."""
    parts = jnp.split(logits, np.cumsum(heads)[:-1], axis=1)
    first, *others = (jax.nn.logsumexp(part, axis=1) for part in parts)
    return sum(others, start=first)


def risk(shape: Shape, data: RiskData, point: Float[jax.Array, " P"]) -> Float[jax.Array, ""]:
    """Return cross-entropy plus penalty at a flat vector of parameters, nats."""
    embeddings, classifier = unpack(shape, point)
    # Without weight decay the embeddings must not enter: their norm is free, and may be large.
    words = 0.0 if shape.layer_norm else data.decays[0] / 2 * jnp.sum(embeddings**2)
    return cross_entropy(shape, data, point) + words + data.decays[1] / 2 * jnp.sum(classifier**2)


def enumerate_population(
    latents: Int[np.ndarray, "K L"],
    word_frequencies: Float[np.ndarray, " s_c"] | Sequence[Float[np.ndarray, " s_a"]],
    n_concepts: int,
) -> WeightedSentences:
    """Return every sentence of every class with its probability; vocabularies may differ in size.

    For vocabularies of equal size this is :func:`simlab.tasks.sentences.enumerate_sentences` on the host, in the same
    order.

    Args:
        latents: ``Int[K, L]``, concepts in ``[0, n_c)``.
        word_frequencies: ``mu``, one ``Float[s_c]`` for every concept, or a sequence of ``n_c`` such arrays of any
            lengths. Words are numbered concept by concept.
        n_concepts: ``n_c``.

    Raises:
        ValueError: an argument is out of range, or there are too many sentences.
    """
    latents = check_latents(latents, check_count("n_concepts", n_concepts, 2))
    laws = [np.asarray(law, np.float64) for law in _per_concept(word_frequencies, n_concepts)]
    for law in laws:
        if law.ndim != 1 or not np.all(law > 0) or abs(law.sum() - 1) > 1e-9:
            raise invalid("word_frequencies", "positive numbers that sum to 1 for each concept", law.tolist())
    sizes = np.array([len(law) for law in laws])
    n_sentences = int(sum(np.prod(sizes[latent].astype(object)) for latent in latents))
    _check_entries(n_sentences, max(len(latents), latents.shape[1] * int(sizes.sum())))
    firsts = np.cumsum(sizes) - sizes
    sentences, probabilities = [], []
    for latent in latents:
        ranks = np.indices(tuple(sizes[latent])).reshape(len(latent), -1)
        sentences.append((ranks + firsts[latent][:, None]).T)
        probabilities.append(np.prod([laws[a][rank] for a, rank in zip(latent, ranks, strict=True)], axis=0))
    classes = np.repeat(np.arange(len(latents)), [len(part) for part in sentences])
    return WeightedSentences(np.concatenate(sentences), classes, np.concatenate(probabilities) / len(latents))


def _per_concept(word_frequencies, n_concepts: int) -> Sequence:
    """Return one law per concept."""
    if np.ndim(word_frequencies[0]) == 0:
        return [word_frequencies] * n_concepts
    if len(word_frequencies) != n_concepts:
        wanted = f"one law, or n_concepts={n_concepts} of them"
        raise invalid("word_frequencies", wanted, len(word_frequencies))
    return word_frequencies


def weight_decays(weight_decay: float | tuple[float, float], layer_norm: bool) -> tuple[float, float]:
    """Return ``(lam_W, lam_U)``, or raise ``ValueError`` where the risk would have no minimiser."""
    if isinstance(weight_decay, tuple):
        if len(weight_decay) != 2:
            raise invalid("weight_decay", "a number or a pair (lam_W, lam_U)", weight_decay)
        decays = weight_decay
    else:
        decays = (0.0 if layer_norm else weight_decay, weight_decay)
    check_real("weight_decay", decays[0], positive=not layer_norm)
    if layer_norm and decays[0] > 0:
        # The norm of a word is free under LayerNorm, so that any penalty drives it to zero.
        raise invalid("weight_decay", "no penalty on the embeddings under LayerNorm", decays[0])
    return float(decays[0]), check_real("weight_decay", decays[1], positive=True)


def check_latents(latents: Int[np.ndarray, "K L"], n_concepts: int) -> Int[np.ndarray, "K L"]:
    """Return latents as an array, or raise ``ValueError`` unless they are ``Int[K, L]`` in ``[0, n_c)``."""
    latents = np.asarray(latents)
    if latents.ndim != 2 or len(latents) < 2 or not np.issubdtype(latents.dtype, np.integer):
        raise invalid("latents", "whole numbers of shape (K, L) with K at least 2", latents.shape)
    outside = latents[(latents < 0) | (latents >= n_concepts)]
    if outside.size:
        raise invalid("latents", f"concepts from 0 to {n_concepts - 1}", int(outside[0]))
    return latents


def _check_entries(n_sentences: int, width: int) -> None:
    """Raise ``ValueError`` for a population whose logits would exceed ``ENTRY_LIMIT``."""
    if n_sentences * width > ENTRY_LIMIT:
        limit = ENTRY_LIMIT // width
        raise invalid("population", f"at most {limit} sentences here (use simlab.exact.reduced instead)", n_sentences)


def _check_heads(heads: tuple[int, ...] | None, n_classes: int) -> None:
    """Raise ``ValueError`` unless the sizes of the heads sum to the number of classes."""
    if heads is None:
        return
    if not isinstance(heads, tuple):
        raise invalid("heads", "a tuple of sizes", heads)
    if sum(check_count("heads", size, 2) for size in heads) != n_classes:
        raise invalid("heads", f"sizes that sum to n_classes={n_classes}", heads)


def _check_confusions(confusions: Float[np.ndarray, "K K"] | None, n_classes: int, heads: tuple | None) -> None:
    """Raise ``ValueError`` unless confusions are None or a distribution for each class of a single head."""
    if confusions is None:
        return
    if heads is not None:
        raise invalid("heads", "None with confusions", heads)
    rows = np.asarray(confusions)
    if rows.shape != (n_classes, n_classes) or not np.all(rows >= 0) or np.abs(rows.sum(axis=1) - 1).max() > 1e-9:
        raise invalid("confusions", f"{n_classes} rows of {n_classes} probabilities that sum to 1", rows.shape)


def _check_population(population: WeightedSentences, n_words: int, n_classes: int, heads: tuple | None) -> None:
    """Raise ``ValueError`` for sentences, classes or probabilities that do not fit together."""
    sentences, classes, probabilities = population
    shapes = tuple(part.shape for part in population)
    labels = shapes[0][:1] if heads is None else (*shapes[0][:1], len(heads))
    if sentences.ndim != 2 or shapes[1:] != (labels, shapes[0][:1]):
        wanted = "(N,)" if heads is None else f"(N, {len(heads)})"
        raise invalid("population", f"shapes (N, L), {wanted} and (N,)", shapes)
    columns = [("classes", classes, n_classes)]
    if heads is not None:
        columns = [(f"classes[:, {f}]", classes[:, f], size) for f, size in enumerate(heads)]
    for name, values, count in (("sentences", sentences, n_words), *columns):
        if not np.issubdtype(values.dtype, np.integer) or values.min() < 0 or values.max() >= count:
            raise invalid(name, f"whole numbers from 0 to {count - 1}", f"{values.min()} to {values.max()}")
    if not np.all(probabilities >= 0) or abs(probabilities.sum() - 1) > 1e-6:
        raise invalid("probabilities", "non-negative numbers that sum to 1", float(probabilities.sum()))
    _check_entries(len(sentences), max(n_classes, sentences.shape[1] * n_words))


@contextmanager
def float64_on_host() -> Iterator[None]:
    """Compute in float64 on the host's CPU within this context; no global setting changes."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield
