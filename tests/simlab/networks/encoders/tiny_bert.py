"""A tiny random BERT in the real file format, written byte by byte, and its forward pass in plain NumPy."""

import json
import math
import struct

import numpy as np

VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", *(f"##{one}" for one in "abcdefgh"), ".", "the", "cat")
CONFIG = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_act": "gelu",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 10,
    "type_vocab_size": 2,
    "vocab_size": len(VOCABULARY),
    "layer_norm_eps": 1e-12,
}


def random_tensors(config=CONFIG, seed=0):
    """Return all tensors by the names of the published files; matrices map rows: ``y = x W^T + b``."""
    rng = np.random.default_rng(seed)
    dim, hidden = config["hidden_size"], config["intermediate_size"]

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": draw(config["vocab_size"], dim),
        "embeddings.position_embeddings.weight": draw(config["max_position_embeddings"], dim),
        "embeddings.token_type_embeddings.weight": draw(2, dim),
    }
    norms, maps = ["embeddings"], {}
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        for name in ("query", "key", "value"):
            maps[f"{layer}.attention.self.{name}"] = (dim, dim)
        maps[f"{layer}.attention.output.dense"] = (dim, dim)
        maps[f"{layer}.intermediate.dense"] = (hidden, dim)
        maps[f"{layer}.output.dense"] = (dim, hidden)
        norms += [f"{layer}.attention.output", f"{layer}.output"]
    for name, shape in maps.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = draw(*shape), draw(shape[0])
    for name in norms:
        tensors[f"{name}.LayerNorm.weight"], tensors[f"{name}.LayerNorm.bias"] = 1 + 0.3 * draw(dim), 0.3 * draw(dim)
    return tensors


def write_safetensors(path, tensors):
    """Write the format by its definition: the length of a JSON header, the header, the bytes of all tensors."""
    header, content = {}, b""
    for name, array in tensors.items():
        data = np.ascontiguousarray(array, np.float32).tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(content), len(content) + len(data)],
        }
        content += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


def write_folder(folder, tensors=None, config=CONFIG, vocabulary=VOCABULARY):
    """Write the three files of an encoder."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    write_safetensors(folder / "model.safetensors", random_tensors() if tensors is None else tensors)
    return folder


def forward(tensors, ids, config=CONFIG):
    """Return the hidden states of one sentence, each before and after the scale and offset of its LayerNorm."""
    tensors = {name: array.astype(np.float64) for name, array in tensors.items()}
    n_heads, dim = config["num_attention_heads"], config["hidden_size"]

    def affine(name, x):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(name, x):
        normalised = np.array([(row - row.mean()) / math.sqrt(row.var() + config["layer_norm_eps"]) for row in x])
        return normalised, normalised * tensors[f"{name}.LayerNorm.weight"] + tensors[f"{name}.LayerNorm.bias"]

    def attend(layer, x):
        query, key, value = (affine(f"{layer}.attention.self.{name}", x) for name in ("query", "key", "value"))
        size = dim // n_heads
        heads = []
        for part in (slice(head * size, (head + 1) * size) for head in range(n_heads)):
            scores = query[:, part] @ key[:, part].T / math.sqrt(size)
            weights = np.exp(scores - scores.max(1, keepdims=True))
            heads.append(weights / weights.sum(1, keepdims=True) @ value[:, part])
        return affine(f"{layer}.attention.output.dense", np.concatenate(heads, axis=1))

    gelu = np.vectorize(lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2)
    embedded = tensors["embeddings.word_embeddings.weight"][ids]
    embedded = embedded + tensors["embeddings.position_embeddings.weight"][: len(ids)]
    states = [norm("embeddings", embedded + tensors["embeddings.token_type_embeddings.weight"][0])]
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        x = states[-1][1]
        x = norm(f"{layer}.attention.output", x + attend(layer, x))[1]
        branch = affine(f"{layer}.output.dense", gelu(affine(f"{layer}.intermediate.dense", x)))
        states.append(norm(f"{layer}.output", x + branch))
    return states
