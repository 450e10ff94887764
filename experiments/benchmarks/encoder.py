"""A pass of a real encoder's size with its statistics, beside its forward pass alone, ours and PyTorch's."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from experiments.benchmarks import pytorch
from experiments.benchmarks.measurement import Contestant, Measurement, compare_steps
from experiments.benchmarks.settings import BenchSettings
from experiments.norm_and_variance.encoder_pass import PassState, add_batch, begin_groups
from simlab.networks.encoders.bert import BertEncoder
from simlab.networks.specs.bert import BertSpec

MEASURED, FORWARD, PEER = "simlab, forward and statistics", "simlab, forward alone", "PyTorch, forward"
# all-MiniLM-L6-v2 and BERT base, with fewer words: their number changes no step.
SPECS = {
    "quick": BertSpec(n_tokens=2000, n_positions=512, dim=384, n_layers=6, n_heads=12, n_hidden=1536),
    "paper": BertSpec(n_tokens=2000, n_positions=512, dim=768, n_layers=12, n_heads=12, n_hidden=3072),
}
N_SENTENCES, LENGTH = 64, 16
N_GROUPS = 100  # tokens with moments of their own
TURN_BATCHES = 2


def measure_encoder(settings: BenchSettings) -> Iterator[Measurement]:
    """Yield the time of a batch of sentences of 9 to 16 tokens, in float32."""
    spec = SPECS[settings.preset]
    encoder = BertEncoder(spec, rngs=nnx.Rngs(params=0))
    rng = np.random.default_rng(0)
    is_token = np.arange(LENGTH) < rng.integers(9, LENGTH + 1, size=N_SENTENCES)[:, None]
    ids = np.where(is_token, rng.integers(spec.n_tokens, size=is_token.shape), 0).astype(np.int32)
    contestants = [measured_pass(encoder, spec, ids, is_token), forward_pass(encoder, ids, is_token)]
    if pytorch.is_installed():
        contestants.append(torch_pass(encoder, spec, ids, is_token))
    case = f"{spec.n_layers} layers, d = {spec.dim}, {N_SENTENCES} sentences, {int(is_token.sum())} tokens"
    yield from compare_steps(
        "encoder", case, contestants, settings.rounds, unit="us/batch", peers={"times PyTorch": PEER}
    )


def measured_pass(encoder: BertEncoder, spec: BertSpec, ids: np.ndarray, is_token: np.ndarray) -> Contestant:
    """Return the pass that ``simlab run real-encoder`` makes."""
    graph, weights = nnx.split(encoder)
    groups = np.where(is_token, ids % N_GROUPS, -1).astype(np.int32)
    arrays = tuple(map(jnp.asarray, (ids, groups, is_token)))
    state: list[PassState] = [begin_groups(N_GROUPS, spec.n_layers + 1, spec.dim)]

    def turn() -> None:
        for _ in range(TURN_BATCHES):
            (tokens, directions, contexts), sums = add_batch(graph, weights, state[0][:3], *arrays)
            state[0] = state[0]._replace(tokens=tokens, directions=directions, contexts=contexts)
        jax.block_until_ready(sums)

    return Contestant(MEASURED, turn, TURN_BATCHES)


def forward_pass(encoder: BertEncoder, ids: np.ndarray, is_token: np.ndarray) -> Contestant:
    """Return the forward pass to all hidden states."""
    graph, weights = nnx.split(encoder)
    forward = jax.jit(lambda weights, ids, is_token: nnx.merge(graph, weights).hidden(ids, is_token).tokens)
    arrays = tuple(map(jnp.asarray, (ids, is_token)))

    def turn() -> None:
        for _ in range(TURN_BATCHES):
            hidden = forward(weights, *arrays)
        jax.block_until_ready(hidden)

    return Contestant(FORWARD, turn, TURN_BATCHES)


def torch_pass(encoder: BertEncoder, spec: BertSpec, ids: np.ndarray, is_token: np.ndarray) -> Contestant:
    """Return the forward pass of the same weights in PyTorch, to all hidden states."""
    import torch

    forward = torch_forward(encoder, spec)
    device = pytorch.device_name()
    arrays = [torch.tensor(array, device=device) for array in (ids.astype(np.int64), is_token)]

    def turn() -> None:
        for _ in range(TURN_BATCHES):
            forward(*arrays)
        if device == "cuda":
            torch.cuda.synchronize()

    return Contestant(PEER, turn, TURN_BATCHES)


def torch_forward(encoder: BertEncoder, spec: BertSpec):
    """Return ``(ids, is_token) -> hidden states``, as a user of PyTorch would write BERT, with its fused attention."""
    import torch
    from torch.nn import functional

    device = pytorch.device_name()
    tensor = lambda array: torch.tensor(np.asarray(array), device=device)  # noqa: E731
    weights = {place: tensor(leaf[...]) for place, leaf in nnx.to_flat_state(nnx.state(encoder))}

    def norm(place: tuple, index: int | None, tokens):
        scale, offset = (_pick(weights[*place, name], index) for name in ("scale", "offset"))
        return functional.layer_norm(tokens, (spec.dim,), scale, offset, spec.epsilon)

    def affine(name: str, index: int, tokens):
        return functional.linear(
            tokens, weights["layers", name, "kernel"][index].T, weights["layers", name, "bias"][index]
        )

    @torch.no_grad()
    def forward(ids, is_token):
        shape = (*ids.shape, spec.n_heads, spec.dim // spec.n_heads)
        tokens = weights["words",][ids] + weights["positions",][: ids.shape[1]] + weights["types",][:1]
        states = [norm(("norm",), None, tokens)]
        for index in range(spec.n_layers):
            tokens = states[-1]
            parts = [affine(name, index, tokens).view(shape).transpose(1, 2) for name in ("queries", "keys", "values")]
            mixed = functional.scaled_dot_product_attention(*parts, attn_mask=is_token[:, None, None, :])
            mixed = affine("mix", index, mixed.transpose(1, 2).reshape(tokens.shape))
            tokens = norm(("layers", "attention_norm"), index, tokens + mixed)
            branch = affine("contract", index, functional.gelu(affine("expand", index, tokens)))
            states.append(norm(("layers", "output_norm"), index, tokens + branch))
        return torch.stack(states)

    return forward


def _pick(array, index: int | None):
    return array if index is None else array[index]
