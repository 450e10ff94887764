"""The contrastive training of a transformer encoder of sentences (Gao et al., 2021; Xiao et al., 2023)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

import numpy as np

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.networks.names import EXPANSION
from simlab.networks.specs.sentence_encoder import N_MARKS
from simlab.sweeps.members import Member

# The linear layers of a block, by their place in ours.
PARTS = {"attention": ("queries", "keys", "values", "mix"), "feed_forward": ("expand", "contract")}


def make(member: Member) -> Peer:
    """Return InfoNCE of two sentences of one class, with the other sentences of the batch as negatives."""
    import torch
    from torch.nn.functional import cross_entropy

    encoder, temperature = make_encoder(member).to(device_name()), float(member.hyperparameters.temperature)
    targets = torch.arange(member.spec.source.batch_size, device=device_name())

    def loss(first, second, *classes):
        anchors, others = encoder(torch.cat([first, second])).chunk(2)
        return cross_entropy(anchors @ others.T / temperature, targets)

    parameters = {"embeddings": encoder.embeddings, "positions": encoder.positions}
    for number, block in enumerate(encoder.blocks):
        for part, names in PARTS.items():
            for name in names:
                layer, place = getattr(block, name), f"blocks/{number}/{part}/{name}"
                parameters |= {f"{place}/kernel": layer.weight, f"{place}/bias": layer.bias}
    draw = make_draw(member)
    return Peer(parameters, loss, lambda: draw().chunk(2))


def make_draw(member: Member):
    """Return a function that draws sentences, ``Int64[2 B, L]``: the first sides of the pairs, then the second ones."""
    import torch

    task, device = member.spec.task, device_name()
    law = task.sample(member.seed)
    tensor = lambda values, kind: torch.tensor(np.array(values), dtype=kind, device=device)  # noqa: E731
    slots, bounds = tensor(law.slots, torch.int64), tensor(np.cumsum(law.word_law)[:-1], torch.float32)
    first_function = task.n_concepts * task.words_per_concept
    size, replacement = member.spec.source.batch_size, float(law.replacement)

    def draw():
        concepts = slots[torch.randperm(task.n_classes, device=device)[:size]].repeat(2, 1)
        ranks = torch.searchsorted(bounds, torch.rand(concepts.shape, device=device), right=True)
        others = first_function + torch.randint(max(task.function_words, 1), concepts.shape, device=device)
        is_replaced = torch.rand(concepts.shape, device=device) < replacement
        return torch.where(is_replaced, others, concepts * task.words_per_concept + ranks)

    return draw


def make_encoder(member: Member):
    """Return the encoder as a ``torch.nn.Module``: post-norm without affine maps, GELU, mean pooling."""
    import torch
    from torch import nn
    from torch.nn import functional

    spec, scale = member.spec, float(member.hyperparameters.initial_scale)
    dim, n_heads, length = spec.network.embedding_dim, spec.network.n_heads, spec.task.sentence_length

    def norm(tokens):
        return functional.layer_norm(tokens, (dim,), eps=0.0)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.queries, self.keys, self.values, self.mix = (nn.Linear(dim, dim) for _ in range(4))
            self.expand, self.contract = nn.Linear(dim, EXPANSION * dim), nn.Linear(EXPANSION * dim, dim)

        def forward(self, tokens):
            heads = [
                layer(tokens).view(*tokens.shape[:2], n_heads, -1).transpose(1, 2)
                for layer in (self.queries, self.keys, self.values)
            ]
            mean = functional.scaled_dot_product_attention(*heads).transpose(1, 2).reshape(tokens.shape)
            tokens = norm(tokens + self.mix(mean))
            return norm(tokens + self.contract(functional.gelu(self.expand(tokens))))

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embeddings = nn.Parameter(scale * torch.randn(spec.task.n_words + N_MARKS, dim))
            self.positions = nn.Parameter(scale * torch.randn(length, dim))
            self.blocks = nn.ModuleList(Block() for _ in range(spec.network.depth))

        def forward(self, words):
            tokens = norm(functional.embedding(words, self.embeddings) + self.positions)
            for block in self.blocks:
                tokens = block(tokens)
            return tokens.mean(dim=1) * dim**-0.5

    return Encoder()
