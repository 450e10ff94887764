"""The specification of an encoder of the BERT family, read from its ``config.json``."""

from collections.abc import Mapping
from dataclasses import dataclass

from simlab.validation import check_count, check_real, invalid

SUPPORTED = "BERT encoders: model_type bert, absolute positions, exact GELU, LayerNorm after each branch"
# Required fields of config.json: the supported value, and the default of an absent field.
_FIXED = {
    "model_type": ("bert", None),
    "position_embedding_type": ("absolute", "absolute"),
    "hidden_act": ("gelu", "gelu"),
    "is_decoder": (False, False),
}


@dataclass(frozen=True, kw_only=True)
class BertSpec:
    """The sizes of :class:`simlab.networks.encoders.bert.BertEncoder`.

    Args:
        n_tokens: size of the vocabulary.
        n_positions: length of the longest sentence, special tokens included.
        n_types: number of segment types; the first one is used.
        dim: d, the dimension of the tokens.
        n_layers: number of blocks.
        n_heads: number of heads of each attention, a divisor of d.
        n_hidden: units of each feed-forward network.
        epsilon: added to the variance in each LayerNorm.

    Raises:
        ValueError: a size is out of range; the message names it.
    """

    n_tokens: int
    n_positions: int
    dim: int
    n_layers: int
    n_heads: int
    n_hidden: int
    n_types: int = 2
    epsilon: float = 1e-12

    def __post_init__(self):
        for name in ("n_tokens", "n_types", "dim", "n_heads", "n_hidden"):
            check_count(name, getattr(self, name))
        check_count("n_layers", self.n_layers, 0)
        check_count("n_positions", self.n_positions, 3)
        check_real("epsilon", self.epsilon)
        if self.dim % self.n_heads:
            raise invalid("n_heads", f"a divisor of dim={self.dim}", self.n_heads)


# The fields of config.json, by those of BertSpec.
_FIELDS = {
    "n_tokens": "vocab_size",
    "n_positions": "max_position_embeddings",
    "n_types": "type_vocab_size",
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_hidden": "intermediate_size",
    "epsilon": "layer_norm_eps",
}


def bert_spec(fields: Mapping[str, object]) -> BertSpec:
    """Return the specification given by the fields of a ``config.json``.

    Raises:
        ValueError: the file describes another family, a field is missing, or a size is out of range.
    """
    for name, (wanted, default) in _FIXED.items():
        value = fields.get(name, default)
        if value != wanted:
            raise ValueError(f"config.json {name}: expected {wanted!r} (supported are {SUPPORTED}), got {value!r}")
    missing = [name for field, name in _FIELDS.items() if name not in fields and field not in ("n_types", "epsilon")]
    if missing:
        raise invalid("config.json", f"a field {missing[0]}", ", ".join(fields) or "none")
    sizes = {field: fields[name] for field, name in _FIELDS.items() if name in fields}
    try:
        return BertSpec(**sizes)  # pyright: ignore[reportArgumentType] - BertSpec validates its fields
    except ValueError as error:
        field, _, rest = str(error).partition(":")
        raise ValueError(f"config.json {_FIELDS.get(field, field)}:{rest}") from None
