"""The files of a published encoder: its specification, its weights, its vocabulary.

A folder has ``config.json``, ``model.safetensors`` and ``vocab.txt``, as on the Hugging Face hub. What is wrong with
them is told in one line that names the file and the field or the tensor.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.networks.encoders.word_pieces import WordPieces, read_vocabulary
from simlab.networks.specs.bert import BertSpec, bert_spec
from simlab.validation import first_line, invalid

if TYPE_CHECKING:
    from simlab.networks.encoders.bert import BertEncoder

CONFIG, WEIGHTS, VOCABULARY = FILES = ("config.json", "model.safetensors", "vocab.txt")
INSTALL = "pip install 'simlab[encoder]'"
# What the parts of a layer are called within "encoder.layer.N", the tables of the embeddings, and their ends, by ours.
_LAYER = {
    "queries": "attention.self.query",
    "keys": "attention.self.key",
    "values": "attention.self.value",
    "mix": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "output_norm": "output.LayerNorm",
}
_TABLES = {"words": "word_embeddings", "positions": "position_embeddings", "types": "token_type_embeddings"}
_ENDS = {"kernel": "weight", "bias": "bias", "scale": "weight", "offset": "bias"}
_OLD_NAMES = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


def check_folder(folder: Path) -> Path:
    """Return a folder that has all three files.

    Raises:
        ValueError: it is none, or a file is missing; the message names it.
    """
    if not folder.is_dir():
        raise invalid("model", f"a folder with {', '.join(FILES)}", str(folder))
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise invalid("model", f"a folder with {', '.join(FILES)}", f"{folder}, without {' and '.join(missing)}")
    return folder


def read_spec(folder: Path) -> BertSpec:
    """Return the specification of a folder's encoder; weights are not read.

    Raises:
        ValueError: ``config.json`` is no JSON object, or describes what :mod:`simlab.networks.specs.bert` does not.
    """
    with _file_of(folder, CONFIG) as path:
        fields = json.loads(path.read_text(encoding="utf8"))
    if not isinstance(fields, dict):
        raise invalid(CONFIG, "a JSON object", type(fields).__name__)
    return bert_spec(fields)


def read_word_pieces(folder: Path, spec: BertSpec) -> WordPieces:
    """Return the reader of sentences that belongs to a folder's encoder.

    Letters are lower-cased unless ``tokenizer_config.json`` says otherwise.

    Raises:
        ValueError: the vocabulary is no UTF-8, lacks a special token, or is not as large as the specification says.
    """
    lower_case = True
    if (folder / "tokenizer_config.json").is_file():
        with _file_of(folder, "tokenizer_config.json") as path:
            lower_case = bool(json.loads(path.read_text(encoding="utf8")).get("do_lower_case", True))
    with _file_of(folder, VOCABULARY) as path:
        tokens = read_vocabulary(path)
    if len(tokens) > spec.n_tokens:
        raise invalid(VOCABULARY, f"at most {spec.n_tokens} tokens, as many as {CONFIG} says", len(tokens))
    return WordPieces(tokens, lower_case=lower_case)


def check_weights(folder: Path, spec: BertSpec) -> None:
    """Check that every tensor is there in its shape; no values are read.

    Raises:
        ValueError: the file is damaged, or a tensor is missing or has another shape; the message names it.
        ImportError: the library of the file format is missing; the message says how to get it.
    """
    with _tensors_of(folder) as tensors:
        for name, shape in tensor_shapes(spec).items():
            tensors.check(name, shape)


def tensor_shapes(spec: BertSpec) -> dict[str, tuple[int, ...]]:
    """Return the shapes that an encoder's tensors have in a file, by name; matrices there map rows, ``y = x W^T``."""
    sizes = {"words": spec.n_tokens, "positions": spec.n_positions, "types": spec.n_types}
    matrices = {name: (spec.dim, spec.dim) for name in ("queries", "keys", "values", "mix")}
    matrices |= {"expand": (spec.n_hidden, spec.dim), "contract": (spec.dim, spec.n_hidden)}
    shapes = {f"embeddings.{_TABLES[name]}.weight": (size, spec.dim) for name, size in sizes.items()}
    shapes |= {f"embeddings.LayerNorm.{end}": (spec.dim,) for end in ("weight", "bias")}
    for index in range(spec.n_layers):
        for ours, theirs in _LAYER.items():
            name, shape = f"encoder.layer.{index}.{theirs}", matrices.get(ours, (spec.dim,))
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def read_weights(folder: Path, spec: BertSpec, dtype: Any = "float32") -> "BertEncoder":
    """Return the encoder of a folder.

    Args:
        folder: with all three files.
        spec: from :func:`read_spec`.
        dtype: of its weights but for those of LayerNorm, which are float32.

    Raises:
        ValueError: as of :func:`check_weights`.
        ImportError: as there.
    """
    import jax.numpy as jnp
    from flax import nnx

    from simlab.networks.encoders.bert import BertEncoder

    def make():
        return BertEncoder(spec, dtype=jnp.dtype(dtype), rngs=nnx.Rngs(params=0))

    graph, state = nnx.split(nnx.eval_shape(make))
    shapes = tensor_shapes(spec)
    with _tensors_of(folder) as tensors:

        def read(name: str) -> np.ndarray:
            return tensors.read(name, shapes[name])

        leaves = [
            (place, leaf.replace(jnp.asarray(_read_leaf(read, tuple(map(str, place)), spec.n_layers), leaf.dtype)))
            for place, leaf in nnx.to_flat_state(state)
        ]
    return nnx.merge(graph, nnx.from_flat_state(leaves))


def check_reader() -> None:
    """Raise ``ImportError`` unless the library that reads the weights is there."""
    if find_spec("safetensors") is None:
        raise ImportError(f"safetensors: needed to read {WEIGHTS}, and not installed ({INSTALL})", name="safetensors")


class _Tensors:
    """The tensors of a file by name, under the names of any age."""

    def __init__(self, file):
        self._file, self._names = file, set(file.keys())

    def check(self, name: str, shape: tuple[int, ...]) -> str:
        """Return the name of a tensor in the file, or raise ``ValueError`` unless it is there in this shape."""
        old = name
        for new_end, old_end in _OLD_NAMES.items():
            old = old.replace(new_end, old_end)
        there = [key for key in (name, f"bert.{name}", old, f"bert.{old}") if key in self._names]
        if not there:
            raise invalid(WEIGHTS, f"a tensor {name}", f"{len(self._names)} others")
        found = tuple(self._file.get_slice(there[0]).get_shape())
        if found != shape:
            raise invalid(f"{WEIGHTS} {there[0]}", f"shape {shape}, as {CONFIG} says", found)
        return there[0]

    def read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the values of a tensor."""
        return self._file.get_tensor(self.check(name, shape))


@contextmanager
def _tensors_of(folder: Path) -> Iterator[_Tensors]:
    """Yield the tensors of a folder's file, and tell in one line if it is damaged."""
    check_reader()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            yield _Tensors(file)
    except SafetensorError as error:
        raise invalid(WEIGHTS, "a file of tensors", f"a damaged one ({first_line(error)})") from None


def _read_leaf(read: Callable[[str], np.ndarray], place: tuple[str, ...], n_layers: int) -> np.ndarray:
    """Return the values of a parameter; those of all layers are stacked, and matrices map columns here."""
    if place[0] == "layers":
        _, module, parameter = place
        ends = (f"encoder.layer.{index}.{_LAYER[module]}.{_ENDS[parameter]}" for index in range(n_layers))
        return np.stack([read(name).T for name in ends])
    if place[0] == "norm":
        return read(f"embeddings.LayerNorm.{_ENDS[place[-1]]}")
    return read(f"embeddings.{_TABLES[place[0]]}.weight")


@contextmanager
def _file_of(folder: Path, name: str) -> Iterator[Path]:
    """Yield the path of a file, and tell in one line what is wrong with its text."""
    try:
        yield folder / name
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if isinstance(error, json.JSONDecodeError) else "UTF-8"
        raise invalid(name, f"a text file of {kind}", f"one that is not ({first_line(error)})") from None
    except OSError as error:
        raise invalid(name, "a file that can be read", error.strerror or first_line(error)) from None
