"""The contrastive training of an encoder of sentences: beside its matrix products, beside PyTorch, and as a sweep."""

# PyTorch is optional.
# pyright: reportMissingImports=false

import time
from collections.abc import Iterator
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks import ours, pytorch
from experiments.benchmarks.measurement import (
    WITHOUT_PYTORCH,
    Contestant,
    Fact,
    Measurement,
    summarise,
    take_turns,
    unmeasured,
)
from experiments.benchmarks.settings import BenchSettings
from experiments.registry import find_experiment
from simlab.networks.names import EXPANSION
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.validation import first_line

PRODUCTS, ALONE, SWEEP = "products (XLA)", "simlab, alone", "simlab, sweep"
EAGER, COMPILED = "PyTorch, eager", "PyTorch, compiled"
EXPERIMENT, MEMBERS, TURN_STEPS = "token-collapse", 8, 50
UNIT = "us/member and step"


def measure_transformer(settings: BenchSettings) -> Iterator[Measurement]:
    """Yield the time of a step of a member, its share of the products' rate, and how many times longer PyTorch takes.

    All draw their sentences. A sweep is held against runs of PyTorch one after the other.
    """
    members = encoder_members(settings)
    layout = ours.even_layout(len(members))
    rows = layout.rows
    contestants = [
        matrix_products(PRODUCTS, members[0]),
        ours.sweep(ALONE, members[:1], Layout(1, 1, 1)),
        ours.sweep(SWEEP, members[:rows], layout),
    ]
    missing = [] if pytorch.is_installed() else [(EAGER, WITHOUT_PYTORCH), (COMPILED, WITHOUT_PYTORCH)]
    if pytorch.is_installed():
        contestants.append(loop(EAGER, members[0], is_compiled=False))
        try:
            contestants.append(loop(COMPILED, members[0], is_compiled=True))
        except (ImportError, RuntimeError) as error:
            missing.append((COMPILED, first_line(error)))
    spec, network = members[0].spec, members[0].spec.network
    case = f"{spec.source.batch_size} pairs, d = {network.embedding_dim}, {network.depth} blocks, {rows} in the sweep"
    seconds = take_turns(contestants, settings.rounds)
    for contestant in contestants:
        where, times = ("transformer", case, contestant.name), seconds[contestant.name]
        yield summarise(where, "time", UNIT, 1e6 * times)
        yield summarise(where, "of the products", "", seconds[PRODUCTS] / times)
        if EAGER in seconds:
            yield summarise(where, "times PyTorch", "", seconds[EAGER] / times)
        for fact in contestant.facts:
            yield summarise(where, fact.quantity, fact.unit, fact.value)
    for name, reason in missing:
        yield unmeasured(("transformer", case, name), UNIT, reason)


def encoder_members(settings: BenchSettings) -> list[Member]:
    """Return runs of the experiment's regime that differ in their seeds, their only segment a turn."""
    cell = find_experiment(EXPERIMENT).plan(settings.preset, {"precision": settings.precision}).cells[0]
    fields = {"n_steps": TURN_STEPS, "steps_per_record": TURN_STEPS, "schedule": "constant", "warmup_steps": 0}
    spec = replace(cell.spec, **fields)
    return [Member(spec, cell.hyperparameters, seed) for seed in range(settings.members or MEMBERS)]


def product_shapes(member: Member) -> list[tuple[int, tuple[int, int, int]]]:
    """Return the products of a forward pass: how many there are of a shape, and rows, inner size and columns of it."""
    spec = member.spec
    network, length = spec.network, spec.task.sentence_length
    n_sentences, dim = 2 * spec.source.batch_size, network.embedding_dim
    tokens, by_head, head = n_sentences * length, n_sentences * network.n_heads, dim // network.n_heads
    layer = [
        (4, (tokens, dim, dim)),
        (by_head, (length, head, length)),
        (by_head, (length, length, head)),
        (1, (tokens, dim, EXPANSION * dim)),
        (1, (tokens, EXPANSION * dim, dim)),
    ]
    return network.depth * layer


def matrix_products(name: str, member: Member) -> Contestant:
    """Return the products of a step alone, forward and both gradients of each, those of one shape side by side."""
    shapes = product_shapes(member)
    keys = iter(jax.random.split(jax.random.key(0), 3 * len(shapes)))
    operands = [
        tuple(
            jax.random.normal(next(keys), (count, *shape))
            for shape in ((rows, inner), (inner, columns), (rows, columns))
        )
        for count, (rows, inner, columns) in shapes
    ]

    def step(total, _):
        # Nothing may be taken out of the loop, and no product may be left out or cut down to what is used of it.
        total, current = jax.lax.optimization_barrier((total, operands))
        products = [
            (left @ right, jnp.swapaxes(left, 1, 2) @ gradient, gradient @ jnp.swapaxes(right, 1, 2))
            for left, right, gradient in current
        ]
        products = jax.lax.optimization_barrier(products)
        return total + sum(product[0, 0, 0] for three in products for product in three), None

    with jax.default_matmul_precision(member.spec.precision):
        run = jax.jit(lambda total: jax.lax.scan(step, total, length=TURN_STEPS)[0]).lower(jnp.zeros(())).compile()
    return Contestant(name, lambda: jax.block_until_ready(run(jnp.zeros(()))), TURN_STEPS)


def loop(name: str, member: Member, *, is_compiled: bool) -> Contestant:
    """Return the training of one run by PyTorch, network and loss eager or compiled."""
    started = time.perf_counter()
    take = begin(member, is_compiled=is_compiled)
    take(1)
    facts = (Fact("compile time", "s", time.perf_counter() - started),) if is_compiled else ()
    return Contestant(name, lambda: take(TURN_STEPS), TURN_STEPS, facts)


def begin(member: Member, *, is_compiled: bool = False):
    """Return ``take(n_steps)``, which takes further steps of AdamW on fresh pairs and returns the last loss."""
    import torch

    spec, hyper, device = member.spec, member.hyperparameters, pytorch.device_name()
    network = make_encoder(member).to(device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=float(hyper.learning_rate), weight_decay=float(hyper.decoupled_weight_decay)
    )
    draw, size = make_draw(member), spec.source.batch_size
    targets = torch.arange(size, device=device)

    def loss_of(words):
        first, second = network(words).chunk(2)
        return torch.nn.functional.cross_entropy(first @ second.T / float(hyper.temperature), targets)

    loss_function = torch.compile(loss_of) if is_compiled else loss_of

    def take(n_steps: int) -> float:
        loss = torch.zeros(())
        for _ in range(n_steps):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_function(draw())
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return take


def make_draw(member: Member):
    """Return a function that draws sentences, ``Int64[2 B, L]``: the first sides of the pairs, then the second ones."""
    import torch

    task, device = member.spec.task, pytorch.device_name()
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
            self.embeddings = nn.Parameter(scale * torch.randn(spec.task.n_words, dim))
            self.positions = nn.Parameter(scale * torch.randn(length, dim))
            self.blocks = nn.ModuleList(Block() for _ in range(spec.network.depth))

        def forward(self, words):
            tokens = norm(functional.embedding(words, self.embeddings) + self.positions)
            for block in self.blocks:
                tokens = block(tokens)
            return tokens.mean(dim=1) * dim**-0.5

    return Encoder()
