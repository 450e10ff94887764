"""The encoder that is read from files, against its forward pass in NumPy, and what is told of bad files."""

import json
import os
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.networks.encoders.bert import sentence_means
from simlab.networks.encoders.bert_files import check_folder, read_spec, read_weights, read_word_pieces
from simlab.networks.specs.bert import BertSpec

pytest.importorskip("safetensors", reason="the extra 'encoder' is not installed")

# A forward pass of float32 through two layers: some hundred roundings of numbers of order 1 to 10.
SINGLE = 1e-4
# The folder of a real encoder, all-MiniLM-L6-v2, where one is at hand.
REAL = os.environ.get("SIMLAB_ENCODER", "")


@pytest.fixture(scope="module")
def tensors(tiny):
    return tiny.random_tensors()


@pytest.fixture(scope="module")
def folder(tiny, tensors, tmp_path_factory):
    return tiny.write_folder(tmp_path_factory.mktemp("model") / "tiny", tensors)


@pytest.fixture(scope="module")
def batch(tiny):
    rng = np.random.default_rng(0)
    lengths = np.array([3, 7, 5])
    is_token = np.arange(7) < lengths[:, None]
    return np.where(is_token, rng.integers(len(tiny.VOCABULARY), size=(3, 7)), 0), is_token


def hidden_of(folder, batch, dtype="float32"):
    encoder = read_weights(check_folder(folder), read_spec(folder), dtype)
    forward = nnx.jit(lambda encoder, ids, mask: (encoder.hidden(ids, mask), encoder.affine()))
    return forward(encoder, *map(jnp.asarray, batch))


@pytest.fixture(scope="module")
def hidden(folder, batch):
    return hidden_of(folder, batch)


def test_all_hidden_states_are_those_of_numpy(hidden, tiny, tensors, batch):
    states, (scale, offset) = hidden
    ids, is_token = batch
    assert states.tokens.shape == (3, 3, 7, 8)
    for row in range(3):
        wanted = tiny.forward(tensors, ids[row][is_token[row]])
        for layer, (normalised, tokens) in enumerate(wanted):
            there = is_token[row]
            np.testing.assert_allclose(states.normalised[layer, row][there], normalised, atol=SINGLE)
            np.testing.assert_allclose(states.tokens[layer, row][there], tokens, atol=SINGLE)
    redone = states.normalised * scale[:, None, None] + offset[:, None, None]
    np.testing.assert_allclose(redone, states.tokens, atol=SINGLE)
    np.testing.assert_allclose(np.sum(states.normalised**2, -1)[:, is_token], 8, rtol=1e-5)


def test_padding_changes_nothing(hidden, folder, batch):
    ids, is_token = batch
    states, _ = hidden_of(folder, (ids[:1, :4], is_token[:1, :4]))
    np.testing.assert_allclose(states.tokens[:, 0, :3], hidden[0].tokens[:, 0, :3], atol=SINGLE)


def test_half_precision_is_near(hidden, folder, batch):
    states, _ = hidden_of(folder, batch, "bfloat16")
    # Eight binary digits; errors of a few roundings in each of two layers.
    error = np.abs(np.asarray(states.tokens, np.float32) - hidden[0].tokens)[:, batch[1]]
    assert 1e-4 < error.mean() < 0.05


def test_means_are_those_of_the_tokens_that_are_there():
    tokens = jnp.arange(12.0).reshape(2, 3, 2)
    means = sentence_means(tokens, jnp.array([[True, True, False], [False, False, False]]))
    np.testing.assert_allclose(means, [[1, 2], [0, 0]])


def test_names_of_older_files_are_understood(tiny, tensors, hidden, batch, tmp_path):
    def old(name):
        return "bert." + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta")

    states, _ = hidden_of(tiny.write_folder(tmp_path / "old", {old(name): t for name, t in tensors.items()}), batch)
    np.testing.assert_array_equal(states.tokens, hidden[0].tokens)


def test_a_folder_must_have_its_files(tiny, tensors, tmp_path):
    with pytest.raises(ValueError, match=r"^model: expected a folder with config.json, .*, got '.*nowhere'$"):
        check_folder(tmp_path / "nowhere")
    folder = tiny.write_folder(tmp_path / "model", tensors)
    (folder / "vocab.txt").unlink()
    with pytest.raises(ValueError, match=r"^model: expected a folder with .*, without vocab.txt'$"):
        check_folder(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "roberta"}, r"config.json model_type: expected 'bert' \(supported are BERT .*, got 'roberta'"),
        ({"hidden_act": "gelu_new"}, r"config.json hidden_act: expected 'gelu' .*, got 'gelu_new'"),
        ({"position_embedding_type": "relative_key"}, "config.json position_embedding_type: expected 'absolute'"),
        ({"num_attention_heads": 3}, "config.json num_attention_heads: expected a divisor of dim=8, got 3"),
        ({"vocab_size": 5}, "vocab.txt: expected at most 5 tokens, the number in config.json, got 23"),
    ],
)
def test_another_family_is_named(tiny, tmp_path, change, message):
    folder = tiny.write_folder(tmp_path / "model", {}, tiny.CONFIG | change)
    with pytest.raises(ValueError, match=f"^{message}"):
        read_word_pieces(folder, read_spec(folder))


def test_a_config_that_is_none(tiny, tmp_path):
    folder = tiny.write_folder(tmp_path / "model", {})
    for content, message in (
        ("{", r"config.json: expected a text file of JSON, got 'one that is not \(Expecting property name"),
        ("[1]", "config.json: expected a JSON object, got 'list'"),
        (json.dumps({"model_type": "bert"}), "config.json: expected a field vocab_size, got 'model_type'"),
    ):
        (folder / "config.json").write_text(content)
        with pytest.raises(ValueError, match=f"^{message}"):
            read_spec(folder)


def test_a_tensor_of_the_wrong_shape_is_named(tiny, tensors, tmp_path):
    name = "encoder.layer.1.intermediate.dense.weight"
    folder = tiny.write_folder(tmp_path / "model", tensors | {name: tensors[name].T})
    with pytest.raises(ValueError, match=rf"^model.safetensors {name}: expected shape \(12, 8\), .*got \(8, 12\)$"):
        read_weights(folder, read_spec(folder))
    folder = tiny.write_folder(tmp_path / "model", {key: array for key, array in tensors.items() if key != name})
    with pytest.raises(ValueError, match=rf"^model.safetensors: expected a tensor {name}, got '36 others'$"):
        read_weights(folder, read_spec(folder))
    (folder / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00nothing!")
    with pytest.raises(ValueError, match=r"^model.safetensors: expected a file of tensors, got 'a damaged one"):
        read_weights(folder, read_spec(folder))


def test_sizes_are_checked():
    with pytest.raises(ValueError, match=r"^n_heads: expected a divisor of dim=8, got 3$"):
        BertSpec(n_tokens=9, n_positions=4, dim=8, n_layers=1, n_heads=3, n_hidden=4)


@pytest.mark.skipif(not REAL, reason="SIMLAB_ENCODER names no folder of a real encoder")
def test_the_real_encoder_has_the_cosines_of_its_model_card():
    spec = read_spec(Path(REAL))
    pieces, encoder = read_word_pieces(Path(REAL), spec), read_weights(Path(REAL), spec)

    texts = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    rows = [[pieces.begin, *pieces.encode(text), pieces.end] for text in texts]
    is_token = np.arange(max(map(len, rows))) < np.array([[len(row)] for row in rows])
    ids = np.zeros(is_token.shape, np.int32)
    ids[is_token] = np.concatenate(rows)
    last = encoder.hidden(jnp.asarray(ids), jnp.asarray(is_token)).tokens[-1]
    vectors = np.asarray(sentence_means(last, jnp.asarray(is_token)), np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors[0] @ vectors[1:].T, [0.6946, 0.9429, 0.2569], atol=1e-3)
