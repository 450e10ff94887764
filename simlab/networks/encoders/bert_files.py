"""Read the files of a published encoder: its specification, its weights and its vocabulary.

A folder has ``config.json``, ``model.safetensors`` and ``vocab.txt``, as on the Hugging Face hub. An error is one line
that names the file and the field or tensor.
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
# Names in the file, by those of BertEncoder: parts of a layer within "encoder.layer.N", embedding tables, parameters.
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
    """Return ``folder`` if it has all three files.

    Raises:
        ValueError: it is not a folder, or a file is missing; the message names the file.
    """
    if not folder.is_dir():
        raise invalid("model", f"a folder with {', '.join(FILES)}", str(folder))
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise invalid("model", f"a folder with {', '.join(FILES)}", f"{folder}, without {' and '.join(missing)}")
    return folder


def read_spec(folder: Path) -> BertSpec:
    """Return the specification of the encoder in a folder; weights are not read.

    Raises:
        ValueError: ``config.json`` is not a JSON object, or describes an encoder that
            :mod:`simlab.networks.specs.bert` does not support.
    """
    with _file_of(folder, CONFIG) as path:
        fields = json.loads(path.read_text(encoding="utf8"))
    if not isinstance(fields, dict):
        raise invalid(CONFIG, "a JSON object", type(fields).__name__)
    return bert_spec(fields)


def read_word_pieces(folder: Path, spec: BertSpec) -> WordPieces:
    """Return the tokenizer of the encoder in a folder.

    Letters are lower-cased unless ``tokenizer_config.json`` sets ``do_lower_case`` to false.

    Raises:
        ValueError: the vocabulary is not UTF-8, lacks a special token, or is larger than the specification allows.
    """
    lower_case = True
    if (folder / "tokenizer_config.json").is_file():
        with _file_of(folder, "tokenizer_config.json") as path:
            lower_case = bool(json.loads(path.read_text(encoding="utf8")).get("do_lower_case", True))
    with _file_of(folder, VOCABULARY) as path:
        tokens = read_vocabulary(path)
    if len(tokens) > spec.n_tokens:
        raise invalid(VOCABULARY, f"at most {spec.n_tokens} tokens, the number in {CONFIG}", len(tokens))
    return WordPieces(tokens, lower_case=lower_case)


def check_weights(folder: Path, spec: BertSpec) -> None:
    """Check that every tensor exists and has the right shape; no values are read.

    Raises:
        ValueError: the file is damaged, or a tensor is missing or has another shape; the message names it.
        ImportError: the library for the file format is missing; the message says how to install it.
    """
    with _tensors_of(folder) as tensors:
        for name, shape in tensor_shapes(spec).items():
            tensors.check(name, shape)


def tensor_shapes(spec: BertSpec) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of an encoder in its file, by name; matrices there act as ``y = x W^T``."""
    sizes = {"words": spec.n_tokens, "positions": spec.n_positions, "types": spec.n_types}
    matrices = {name: (spec.dim, spec.dim) for name in ("queries", "keys", "values", "mix")}
    matrices |= {"expand": (spec.n_hidden, spec.dim), "contract": (spec.dim, spec.n_hidden)}
    shapes = {f"embeddings.{_TABLES[name]}.weight": (size, spec.dim) for name, size in sizes.items()}
    shapes |= {f"embeddings.LayerNorm.{end}": (spec.dim,) for end in ("weight", "bias")}
    for index in range(spec.n_layers):
        for part, name_in_file in _LAYER.items():
            name, shape = f"encoder.layer.{index}.{name_in_file}", matrices.get(part, (spec.dim,))
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def read_weights(folder: Path, spec: BertSpec, dtype: Any = "float32") -> "BertEncoder":
    """Return the encoder in a folder.

    Args:
        folder: with all three files.
        spec: from :func:`read_spec`.
        dtype: of the weights, except for those of LayerNorm, which are float32.

    Raises:
        ValueError: as in :func:`check_weights`.
        ImportError: as in :func:`check_weights`.
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
    """Raise ``ImportError`` unless the library that reads the weights is installed."""
    if find_spec("safetensors") is None:
        raise ImportError(f"safetensors: needed to read {WEIGHTS}, and not installed ({INSTALL})", name="safetensors")


class _Tensors:
    """The tensors of a file by name, under current and older names."""

    def __init__(self, file):
        self._file, self._names = file, set(file.keys())

    def check(self, name: str, shape: tuple[int, ...]) -> str:
        """Return the name of a tensor in the file, or raise ``ValueError`` unless it exists with this shape."""
        old = name
        for new_end, old_end in _OLD_NAMES.items():
            old = old.replace(new_end, old_end)
        names = [key for key in (name, f"bert.{name}", old, f"bert.{old}") if key in self._names]
        if not names:
            raise invalid(WEIGHTS, f"a tensor {name}", f"{len(self._names)} others")
        shape_in_file = tuple(self._file.get_slice(names[0]).get_shape())
        if shape_in_file != shape:
            raise invalid(f"{WEIGHTS} {names[0]}", f"shape {shape}, from the sizes in {CONFIG}", shape_in_file)
        return names[0]

    def read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the values of a tensor."""
        return self._file.get_tensor(self.check(name, shape))


@contextmanager
def _tensors_of(folder: Path) -> Iterator[_Tensors]:
    """Yield the tensors in a folder, or raise ``ValueError`` with one line if their file is damaged."""
    check_reader()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            yield _Tensors(file)
    except SafetensorError as error:
        raise invalid(WEIGHTS, "a file of tensors", f"a damaged one ({first_line(error)})") from None


def _read_leaf(read: Callable[[str], np.ndarray], place: tuple[str, ...], n_layers: int) -> np.ndarray:
    """Return the values of a parameter; those of all layers are stacked, and matrices are transposed."""
    if place[0] == "layers":
        _, module, parameter = place
        ends = (f"encoder.layer.{index}.{_LAYER[module]}.{_ENDS[parameter]}" for index in range(n_layers))
        return np.stack([read(name).T for name in ends])
    if place[0] == "norm":
        return read(f"embeddings.LayerNorm.{_ENDS[place[-1]]}")
    return read(f"embeddings.{_TABLES[place[0]]}.weight")


@contextmanager
def _file_of(folder: Path, name: str) -> Iterator[Path]:
    """Yield the path of a file, and turn an error in reading its text into a ``ValueError`` with one line."""
    try:
        yield folder / name
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if isinstance(error, json.JSONDecodeError) else "UTF-8"
        raise invalid(name, f"a text file of {kind}", f"one that is not ({first_line(error)})") from None
    except OSError as error:
        raise invalid(name, "a file that can be read", error.strerror or first_line(error)) from None
