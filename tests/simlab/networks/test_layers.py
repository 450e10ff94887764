"""The deep networks against loops in NumPy, their symmetries, their gradients, and a short training run."""

import itertools
import math
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from simlab.networks.mixer import SentenceMixer
from simlab.networks.sentence_mlp import SentenceMLP
from simlab.networks.transformer import SentenceTransformer
from simlab.networks.two_layer import SentenceClassifier

N_WORDS, LENGTH, N_CLASSES, DIM, WIDTH = 6, 3, 4, 6, 16
SIZES = {"n_words": N_WORDS, "sentence_length": LENGTH, "n_classes": N_CLASSES, "embedding_dim": DIM}
NETWORKS = {
    "mlp-relu": partial(SentenceMLP, width=WIDTH),
    "mlp-gelu": partial(SentenceMLP, width=WIDTH, activation="gelu"),
    "transformer-pre": partial(SentenceTransformer, n_heads=2),
    "transformer-post": partial(SentenceTransformer, n_heads=3, norm="post"),
    "mixer": SentenceMixer,
}
EACH = pytest.mark.parametrize("name", NETWORKS)
EACH_CLASS = pytest.mark.parametrize("name", ["mlp-relu", "transformer-pre", "mixer"])
SENTENCES = np.array([[0, 1, 5], [3, 3, 2], [4, 0, 1], [5, 2, 0]])
# Three concepts of two words, sentences of two, all nine classes, all 36 sentences.
TINY = {"sentence_length": 2, "n_classes": 9, "depth": 1}
TINY_SENTENCES = np.array(list(itertools.product(range(6), repeat=2)))
TINY_CLASSES = TINY_SENTENCES // 2 @ [3, 1]
# Two blocks are a chain of some 20 maps, each of sums of at most 24 terms: below 500 roundings of 2^-53 or 2^-24,
# which the LayerNorms of a token of 6 coordinates may stretch tenfold.
ROUNDING_64, ROUNDING_32 = 5000 * 2**-53, 5000 * 2**-24


@cache
def make(name, **fields):
    """A network whose every parameter is drawn here, biases too: nothing may hide behind an initial zero."""
    network = nnx.eval_shape(lambda: NETWORKS[name](**{**SIZES, "depth": 2, **fields}, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(0)

    def draw(path, variable):
        scale = variable.shape[0] ** -0.5 if path[-1] == "kernel" else 1.0
        return variable.replace(jnp.asarray(rng.normal(scale=scale, size=variable.shape), variable.dtype))

    graph, params = nnx.split(network)
    return nnx.merge(graph, nnx.map_state(draw, params))


def values(network):
    """Every parameter by its path, float64."""
    return {path: np.array(leaf[...], np.float64) for path, leaf in nnx.to_flat_state(nnx.state(network))}


def merged(network, changed):
    """The network with other values of its parameters."""
    graph, params = nnx.split(network)
    replace = lambda path, variable: variable.replace(jnp.asarray(changed[path], variable[...].dtype))  # noqa: E731
    return nnx.merge(graph, nnx.map_state(replace, params))


def outputs(network, sentences=SENTENCES):
    """Tokens of all layers, and logits."""
    return compiled_outputs(*nnx.split(network), jnp.asarray(sentences))


@partial(jax.jit, static_argnums=0)
def compiled_outputs(graph, params, sentences):
    network = nnx.merge(graph, params)
    return network.hidden(sentences), network(sentences)


def naive_norm(x):
    return (x - np.mean(x)) / np.std(x)


def naive_gelu(x):
    return np.array([t * 0.5 * (1 + math.erf(t / math.sqrt(2))) for t in np.ravel(x)]).reshape(np.shape(x))


def naive_linear(p, path, x):
    return np.array([x @ column for column in p[(*path, "kernel")].T]) + p[(*path, "bias")]


def naive_feed_forward(p, path, x):
    return naive_linear(p, (*path, "contract"), naive_gelu(naive_linear(p, (*path, "expand"), x)))


def naive_attention(p, path, tokens, n_heads):
    query, key, value = (
        [naive_linear(p, (*path, name), x) for x in tokens] for name in ("queries", "keys", "values")
    )  # fmt: skip
    size, out = DIM // n_heads, []
    for q in query:
        heads = []
        for head in range(n_heads):
            part = slice(head * size, (head + 1) * size)
            scores = np.exp([q[part] @ k[part] / math.sqrt(size) for k in key])
            heads += list(sum(s / scores.sum() * v[part] for s, v in zip(scores, value, strict=True)))
        out.append(naive_linear(p, (*path, "mix"), np.array(heads)))
    return np.array(out)


def naive_block(name, p, path, tokens):
    if name == "mixer":
        normed = np.array([naive_norm(x) for x in tokens])
        mixed = [naive_feed_forward(p, (*path, "token_mixing"), channel) for channel in normed.T]
        tokens = tokens + np.array(mixed).T
        return tokens + np.array([naive_feed_forward(p, (*path, "channel_mixing"), naive_norm(x)) for x in tokens])
    if name == "transformer-pre":
        tokens = tokens + naive_attention(p, (*path, "attention"), [naive_norm(x) for x in tokens], 2)
        return tokens + np.array([naive_feed_forward(p, (*path, "feed_forward"), naive_norm(x)) for x in tokens])
    summed = tokens + naive_attention(p, (*path, "attention"), tokens, 3)
    tokens = np.array([naive_norm(x) for x in summed])
    return np.array([naive_norm(x + naive_feed_forward(p, (*path, "feed_forward"), x)) for x in tokens])


def naive_hidden(name, p, sentence, depth):
    """Tokens of all layers of one sentence, from the definitions, in float64."""
    tokens = np.array([p[("embeddings",)][word] for word in sentence])
    if name.startswith("transformer"):
        tokens = tokens + p[("positions",)]
    found = [tokens]
    for layer in range(depth):
        if name.startswith("mlp"):
            before = naive_linear(p, ("layers", layer), found[-1].ravel())
            found.append((np.maximum(before, 0) if name == "mlp-relu" else naive_gelu(before))[None])
        else:
            found.append(naive_block(name, p, ("blocks", layer), found[-1]))
    return found


def naive_logits(p, tokens):
    return np.array([sum(u @ x for u, x in zip(rows, tokens, strict=True)) for rows in p[("classifier",)]])


def naive_loss(name, p, sentences, classes):
    logits = [naive_logits(p, naive_hidden(name, p, sentence, depth=1)[-1]) for sentence in sentences]
    return np.mean([np.log(np.sum(np.exp(z))) - z[k] for z, k in zip(logits, classes, strict=True)])


@partial(jax.jit, static_argnums=0)
@partial(jax.grad, argnums=1, has_aux=True)
def tiny_gradient(graph, params, weights):
    """The gradient of the cross-entropy on the tiny task, each sentence with a weight; and tokens and logits."""
    network = nnx.merge(graph, params)
    logits = network(jnp.asarray(TINY_SENTENCES))
    terms = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(TINY_CLASSES))
    return jnp.sum(weights * terms), (network.hidden(jnp.asarray(TINY_SENTENCES)), logits)


@EACH
def test_layers_logits_and_gradients_are_the_definition(name):
    """Loops in NumPy, and their central differences, against the network in float64."""
    rows = np.array([1, 8, 21, 34])
    with jax.enable_x64(True):
        network = make(name, **TINY, dtype=jnp.float64)
        graph, params = nnx.split(network)
        weights = jnp.asarray(np.isin(range(36), rows) / len(rows))
        gradient, (hidden, logits) = tiny_gradient(graph, params, weights)
        gradient = values(nnx.merge(graph, gradient))
        assert all(array.dtype == jnp.float64 for array in (*hidden, logits))
    p = values(network)
    for row in rows:
        expected = naive_hidden(name, p, TINY_SENTENCES[row], depth=1)
        for found, layer in zip(hidden, expected, strict=True):
            np.testing.assert_allclose(found[row], layer, rtol=0, atol=ROUNDING_64 * np.abs(layer).max())
        of_sentence = naive_logits(p, expected[-1])
        np.testing.assert_allclose(logits[row], of_sentence, rtol=0, atol=ROUNDING_64 * np.abs(of_sentence).max())
    rng = np.random.default_rng(1)
    for path, value in p.items():
        direction, difference = rng.normal(size=value.shape), 0.0
        for sign in (1, -1):
            moved = {**p, path: value + sign * 1e-5 * direction}
            difference += sign * naive_loss(name, moved, TINY_SENTENCES[rows], TINY_CLASSES[rows]) / 2e-5
        # Central differences err by O(h^2) = 1e-10 times a third derivative and by rounding, 1e-15/h = 1e-10.
        np.testing.assert_allclose(np.sum(gradient[path] * direction), difference, rtol=1e-6, atol=1e-7, err_msg=path)


@EACH
def test_adam_learns_the_tiny_task(name):
    adam = optax.adam(1e-2)
    start = values(NETWORKS[name](**SIZES | TINY, rngs=nnx.Rngs(0)))
    with jax.enable_x64(True):
        graph, params = nnx.split(merged(make(name, **TINY, dtype=jnp.float64), start))
        weights = jnp.asarray(np.full(36, 1 / 36))
        state, accuracies = adam.init(params), []

        @jax.jit
        def step(params, gradient, state):
            updates, state = adam.update(gradient, state)
            return optax.apply_updates(params, updates), state

        for _ in range(120):
            gradient, (_, logits) = tiny_gradient(graph, params, weights)
            params, state = step(params, gradient, state)
            accuracies.append(np.mean(np.argmax(logits, axis=-1) == TINY_CLASSES))
    assert accuracies[0] < 0.5
    assert accuracies[-1] == 1
    # Each class is more likely than all others together.
    chosen = np.asarray(jax.nn.log_softmax(np.asarray(logits, np.float32)))[range(len(logits)), TINY_CLASSES]
    assert chosen.min() > np.log(0.5)


@EACH
def test_float32_and_shapes(name):
    network = make(name)
    hidden, logits = outputs(network)
    merges = name.startswith("mlp")
    assert [layer.shape[1:] for layer in hidden] == [(LENGTH, DIM), *2 * [(1, WIDTH) if merges else (LENGTH, DIM)]]
    assert network.classifier.shape == (N_CLASSES, *hidden[-1].shape[1:])
    assert network.representation().shape == network.embeddings.shape == (N_WORDS, DIM)
    assert logits.dtype == jnp.float32
    p = values(network)
    expected = np.array([naive_logits(p, naive_hidden(name, p, sentence, 2)[-1]) for sentence in SENTENCES])
    np.testing.assert_allclose(logits, expected, rtol=0, atol=ROUNDING_32 * np.abs(expected).max())


@EACH
def test_without_blocks_it_is_the_two_layer_network(name):
    network = make(name, depth=0)
    p = {path: 0 * value if path == ("positions",) else value for path, value in values(network).items()}
    plain = SentenceClassifier(**SIZES, layer_norm=False, rngs=nnx.Rngs(5))
    two_layers = merged(plain, p)
    # The same sums of 18 products: at most 18 roundings of 2^-24 relative to their largest terms, which are below 10.
    np.testing.assert_allclose(outputs(merged(network, p))[1], two_layers(SENTENCES), rtol=0, atol=180 * 2**-24)
    assert np.abs(outputs(merged(network, p))[1] - plain(SENTENCES)).max() > 0.1


@EACH
def test_names_of_words_do_not_matter(name):
    network, order = make(name), np.array([3, 0, 5, 1, 4, 2])
    p = values(network)
    renamed = merged(network, {**p, ("embeddings",): p[("embeddings",)][order]})
    # Word ``order[i]`` is now called ``i``: the same numbers enter, and the same bits come out.
    np.testing.assert_array_equal(outputs(renamed, np.argsort(order)[SENTENCES])[1], outputs(network)[1])
    assert np.abs(outputs(renamed)[1] - outputs(network)[1]).max() > 0.1


def permuted_positions(name, p, order):
    """The parameters of the network that reads position ``order[l]`` of the first one at its position ``l``."""
    p = dict(p)
    if name.startswith("mlp"):
        kernel = ("layers", 0, "kernel")
        p[kernel] = p[kernel].reshape(LENGTH, DIM, WIDTH)[order].reshape(LENGTH * DIM, WIDTH)
        return p
    p["classifier",] = p["classifier",][:, order]
    if name.startswith("transformer"):
        p["positions",] = p["positions",][order]
        return p
    for layer in range(2):
        mixing = ("blocks", layer, "token_mixing")
        p[*mixing, "expand", "kernel"] = p[*mixing, "expand", "kernel"][order]
        p[*mixing, "contract", "kernel"] = p[*mixing, "contract", "kernel"][:, order]
        p[*mixing, "contract", "bias"] = p[*mixing, "contract", "bias"][order]
    return p


@EACH
def test_positions_are_told_apart_by_their_own_parameters_alone(name):
    network, order = make(name), np.array([2, 0, 1])
    logits = outputs(network)[1]
    permuted = merged(network, permuted_positions(name, values(network), order))
    tolerance = ROUNDING_32 * np.abs(logits).max()
    np.testing.assert_allclose(outputs(permuted, SENTENCES[:, order])[1], logits, rtol=0, atol=tolerance)
    # Word order does count.
    assert np.abs(outputs(network, SENTENCES[:, order])[1] - logits).max() > 0.1


@pytest.mark.parametrize("name", ["transformer-pre", "transformer-post"])
def test_without_positions_a_transformer_is_equivariant(name):
    network, order = make(name), np.array([2, 0, 1])
    p = values(network)
    blind = merged(network, {**p, ("positions",): 0 * p[("positions",)]})
    for of_network, equal in ((blind, True), (network, False)):
        before, after = outputs(of_network)[0], outputs(of_network, SENTENCES[:, order])[0]
        for one, other in zip(before, after, strict=True):
            error = np.abs(other - one[:, order]).max()
            assert (error < ROUNDING_32 * np.abs(one).max()) if equal else (error > 0.1)


@pytest.mark.parametrize(("name", "normed"), [("transformer-post", True), ("transformer-pre", False)])
def test_post_norm_tokens_have_norm_sqrt_d(name, normed):
    norms = np.linalg.norm(outputs(make(name))[0][-1], axis=-1)
    assert np.allclose(norms, np.sqrt(DIM), rtol=64 * 2**-24) == normed


@EACH_CLASS
def test_a_vmapped_member_is_the_single_one(name):
    """Split once and run side by side, as the trainer does it; the initial scale is traced."""
    graph, params = nnx.split(make(name))
    members = jax.tree.map(lambda leaf: jnp.stack([leaf, 1.5 * leaf, leaf[::-1]]), params)

    def begin(key, scale):
        network = NETWORKS[name](**SIZES, depth=2, initial_scale=scale, rngs=nnx.Rngs(params=key))
        return nnx.state(network, nnx.Param)

    begun = jax.eval_shape(jax.vmap(begin), jax.random.split(jax.random.key(1), 3), jnp.ones(3))
    leaves = [jax.tree_util.tree_leaves_with_path(tree) for tree in (begun, members)]
    first, second = ([(jax.tree_util.keystr(path), leaf.shape, leaf.dtype) for path, leaf in one] for one in leaves)
    assert first == second
    many = jax.jit(jax.vmap(partial(compiled_outputs, graph), (0, None)))(members, jnp.asarray(SENTENCES))
    for row in range(3):
        own = jax.tree.map(lambda leaf, row=row: leaf[row], members)
        single = compiled_outputs(graph, own, jnp.asarray(SENTENCES))
        for stacked, alone in zip(jax.tree.leaves(many), jax.tree.leaves(single), strict=True):
            np.testing.assert_allclose(stacked[row], alone, rtol=0, atol=ROUNDING_32 * np.abs(alone).max())


@EACH_CLASS
def test_initial_weights(name):
    """Their laws; and the initial scale is that of the embeddings alone."""
    sizes = {"n_words": 500, "sentence_length": 40, "n_classes": 50, "embedding_dim": 12, "depth": 1}
    sizes |= {"width": 40} if name.startswith("mlp") else {}
    whole = NETWORKS[name](**sizes, rngs=nnx.Rngs(0))
    plain, scaled = (
        values(network) for network in (whole, NETWORKS[name](**sizes, initial_scale=0.25, rngs=nnx.Rngs(0)))
    )
    for path, value in plain.items():
        np.testing.assert_array_equal(scaled[path], value * (0.25 if path == ("embeddings",) else 1.0))
        if path[-1] == "bias":
            np.testing.assert_array_equal(value, 0)
            continue
        gain = 2.0 if name.startswith("mlp") else 1.0
        bound = (value[0].size) ** -0.5
        deviation = {"kernel": (gain / value.shape[0]) ** 0.5, "classifier": bound / np.sqrt(3)}.get(path[-1], 1.0)
        # A standard deviation from n draws is known to 1/sqrt(2n), for a law without heavier tails than the normal's.
        assert abs(value.std() / deviation - 1) < 5 / np.sqrt(2 * value.size), path
        assert path[-1] != "classifier" or np.abs(value).max() <= bound
    assert len(jax.tree.leaves(nnx.state(whole))) == len(jax.tree.leaves(nnx.state(whole, nnx.Param)))


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("mlp-relu", {"depth": -1}, "depth: expected a whole number of at least 0, got -1"),
        ("mlp-relu", {"width": 0}, "width: expected a whole number of at least 1, got 0"),
        ("mlp-relu", {"activation": "rleu"}, r"activation: expected one of relu, gelu, .* \(did you mean 'relu'\?\)"),
        ("transformer-pre", {"n_heads": 4}, "n_heads: expected a divisor of embedding_dim=6, got 4"),
        ("transformer-pre", {"n_heads": 0}, "n_heads: expected a whole number of at least 1, got 0"),
        ("transformer-pre", {"norm": "pots"}, r"norm: expected one of pre, post, .* \(did you mean 'post'\?\)"),
        ("transformer-post", {"embedding_dim": 2}, "embedding_dim: expected a whole number of at least 3, got 2"),
        ("mixer", {"embedding_dim": 2}, "embedding_dim: expected a whole number of at least 3, got 2"),
        ("mixer", {"depth": 1.5}, "depth: expected a whole number of at least 0, got 1.5"),
    ],
)
def test_bad_sizes_are_named(name, fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        NETWORKS[name](**{**SIZES, "depth": 2, **fields}, rngs=nnx.Rngs(0))
