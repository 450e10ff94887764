"""How time and memory of a step grow with each size, as slopes; and what the laws say of a million classes.

Time follows the matrix products, ``6 B L d K`` operations for each member; memory follows the weights, ``K L d +
n_w d`` numbers for each member (:func:`held_bytes`). A measured slope is that of the logarithm of time or memory over
the logarithm of a size; beside it stands the slope of the law, fitted over the same sizes in the same way.

All members share one device: another layout would put a step into the slope where their number passes that of the
devices. No size comes near the number of sentences from which a CPU makes a table of word scores
(:mod:`simlab.networks.logits`), where another law begins.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple

import jax
import numpy as np

from experiments.benchmarks import ours
from experiments.benchmarks.arithmetic import FLOAT_BYTES, step_cost
from experiments.benchmarks.measurement import Contestant, Measurement, Part, summarise, take_turns
from experiments.benchmarks.settings import BenchSettings
from experiments.benchmarks.step import RATES
from experiments.feature_collapse.training_spec import WordSpec
from simlab.data.sources import FreshExamples
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.sweeps.layout import Layout
from simlab.sweeps.program import Program
from simlab.sweeps.row_blocks import members_side_by_side
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec

TIME_SLOPE, MEMORY_SLOPE = "d log time / d log size", "d log memory / d log size"
MEASURED, PREDICTED = "measured slope", "predicted slope"
RESAMPLES = 1000


class Sizes(NamedTuple):
    """The sizes of a program: ``K``, ``L``, ``d``, ``n_w``, the batch, and the members that run side by side."""

    n_classes: int
    sentence_length: int
    embedding_dim: int
    n_words: int
    batch_size: int
    members: int = 1


PAPER = Sizes(1000, 15, 100, 1200, 100)
BASES = {"quick": Sizes(256, 8, 16, 48, 32), "paper": PAPER}
# The fit begins at the factor 4; what is left out of the quick range only shows how the law sets in.
FACTORS = {"quick": (1, 4, 8, 16), "paper": (1, 2, 4, 8, 16)}
TURN_SECONDS = {"quick": 0.05, "paper": 0.3}
LEAST_STEPS = 3


class Slope(NamedTuple):
    """A fitted slope and its standard error."""

    value: float
    error: float


class Accelerator(NamedTuple):
    """The data sheet of a device; nothing of it is measured here.

    Attributes:
        name: of the device.
        rate: operations per second in float32.
        bandwidth: bytes per second, between device and its memory.
        memory: bytes.
        link: bytes per second that the device can send to others.
        source: where the numbers stand.
    """

    name: str
    rate: float
    bandwidth: float
    memory: float
    link: float
    source: str


H100 = Accelerator("H100", 67e12, 3.35e12, 80e9, 50e9, "NVIDIA data sheets of H100 SXM and, for 400 Gbit/s, DGX H100")
MANY_CLASSES, SLICE = 1_000_000, 64
FITTED_CLASSES = (1000, 4000)


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for the range of each size: time, memory and slopes; and one for the laws at a million classes."""
    first = cache(lambda: _training(BASES[settings.preset], settings))
    for name in Sizes._fields:
        yield Part(name, partial(_measure_size, name, first, settings))
    yield Part("a million classes", partial(_extrapolate, settings))


def sizes_of(name: str, preset: str) -> list[Sizes]:
    """Return the sizes that are measured as one of them grows; the first is the base, common to all."""
    base = BASES[preset]
    return [base._replace(**{name: factor * getattr(base, name)}) for factor in FACTORS[preset]]


def make_spec(sizes: Sizes, n_steps: int = 1, precision: str = "highest") -> WordSpec:
    """Return the run whose one segment is a turn. Fresh sentences: what a step costs does not hang on a sample."""
    task = SentenceTask(n_words=sizes.n_words, sentence_length=sizes.sentence_length, n_classes=sizes.n_classes)
    return TrainingSpec(
        task=task,
        source=FreshExamples(batch_size=sizes.batch_size),
        network=TwoLayer(embedding_dim=sizes.embedding_dim),
        objective=CrossEntropy(),
        n_steps=n_steps,
        steps_per_record=n_steps,
        n_evaluation=sizes.batch_size,
        precision=precision,
    )


def operations(sizes: Sizes) -> int:
    """Return the operations of the matrix products of one step of all members."""
    return sizes.members * step_cost(make_spec(sizes)).flops


def held_bytes(sizes: Sizes, class_shards: int = 1) -> float:
    """Return the bytes that a device holds during a segment, counted by hand for the program that a CPU compiles.

    The classifier, in whose place each step writes; the gradient of the logits; and beside it, in one place, the
    gradients of the classifier and of the batch's word vectors, or before them the logits. The word vectors twice,
    since their gradient is added up in place. The latents, and the batch's word vectors. Of many members only some run
    at once: what a step needs is counted for these, and their weights once more, which stay as they were until the
    segment is over.
    Classifier and logits are split over the devices of the class axis, and nothing else is. Not counted are the
    sentences that are drawn ahead, an eighth of the weights at most.
    """
    n_classes, length, dim, n_words, batch, members = sizes
    at_once = members_side_by_side(make_spec(sizes), members)
    classifier = n_classes * length * dim / class_shards
    logits = batch * n_classes / class_shards
    words, tokens = n_words * dim, batch * length * dim
    step = logits + max(classifier + tokens, logits) + tokens + words
    rows = classifier + words if members > 1 else 0
    return FLOAT_BYTES * (members * (classifier + words + n_classes * length) + at_once * (step + rows))


def fit_slope(values: np.ndarray, samples: np.ndarray) -> Slope:
    """Fit the slope of ``log(sample)`` over ``log(value)``, to the upper half of the range, where the law has set in.

    Args:
        values: ``Float[N]``, of the size that grows.
        samples: ``Float[R, N]``, positive: what was measured in each round, all sizes in turns.

    Returns:
        The least-squares slope of the medians over rounds. Its standard error is the larger of two: the bootstrap's
        over rounds (noise), and the fit's own, from the distances of the points to the line (curvature).
    """
    values, samples = np.asarray(values, float), np.atleast_2d(samples)
    in_fit = upper_half(values)
    x = np.log(values[in_fit])
    x -= x.mean()
    logs = np.log(samples[:, in_fit])
    middle = np.median(logs, axis=0)
    slope = middle @ x / (x @ x)
    residual = middle - middle.mean() - slope * x
    own = np.sqrt(residual @ residual / max(1, len(x) - 2) / (x @ x))
    drawn = np.random.default_rng(0).integers(len(logs), size=(RESAMPLES, len(logs)))
    resampled = np.median(logs[drawn], axis=1) @ x / (x @ x)
    return Slope(float(slope), float(max(own, resampled.std())))


def upper_half(values: np.ndarray) -> np.ndarray:
    """Return which values lie in the upper half of their range, on a logarithmic scale."""
    return np.asarray(values) ** 2 >= np.min(values) * np.max(values) * (1 - 1e-9)


def _training(sizes: Sizes, settings: BenchSettings) -> Contestant:
    """Return the training of all members on one device; its steps are those of the program, not of each member."""
    rate, least = RATES[jax.default_backend()]
    turn = TURN_SECONDS[settings.preset]
    n_steps = max(LEAST_STEPS, round(turn / max(operations(sizes) / rate, least)))
    spec = make_spec(sizes, n_steps, settings.precision)
    layout = Layout(sizes.members, sizes.members, 1)
    contestant = ours.training("", spec, Hyperparameters(initial_scale=0.1), layout)
    return contestant._replace(steps=n_steps)


def _measure_size(name: str, first: Callable[[], Contestant], settings: BenchSettings) -> Iterator[Measurement]:
    """Yield time and memory as one size grows, and the slopes; ``first`` returns the training at the base."""
    sizes = sizes_of(name, settings.preset)
    values = [getattr(size, name) for size in sizes]
    contestants = [first(), *(_training(size, settings) for size in sizes[1:])]
    contestants = [contestant._replace(name=str(value)) for contestant, value in zip(contestants, values, strict=True)]
    seconds = take_turns(contestants, settings.rounds)
    memory = np.array([_memory(contestant) for contestant in contestants])
    where = ("scaling", name, "simlab")
    for value, contestant, held in zip(values, contestants, memory, strict=True):
        yield summarise(where, "time", "us/step", 1e6 * seconds[contestant.name], at=value)
        yield summarise(where, "memory", "MB", held, at=value)
    times = np.column_stack([seconds[contestant.name] for contestant in contestants])
    yield _slope(name, MEASURED, TIME_SLOPE, values, times)
    yield _slope(name, MEASURED, MEMORY_SLOPE, values, memory[None])
    yield _slope(name, PREDICTED, TIME_SLOPE, values, np.array([[operations(size) for size in sizes]]))
    yield _slope(name, PREDICTED, MEMORY_SLOPE, values, np.array([[held_bytes(size) for size in sizes]]))


def _slope(name: str, contestant: str, quantity: str, values: list[int], samples: np.ndarray) -> Measurement:
    """Return a slope with its standard error to both sides, at the smallest size of the fit."""
    positions = np.array(values)
    slope = fit_slope(positions, samples)
    low, high = slope.value - slope.error, slope.value + slope.error
    at = float(np.min(positions[upper_half(positions)]))
    explained = (contestant, quantity) == (MEASURED, TIME_SLOPE)
    note = f"least squares from {at:,g} on, +- standard error; memory is that of the compiler" if explained else ""
    return Measurement("scaling", name, contestant, quantity, "", slope.value, low, high, len(samples), at, note)


def _memory(contestant: Contestant) -> float:
    """Return the megabytes that the compiler counts."""
    return next(fact.value for fact in contestant.facts if fact.quantity == "memory")


def _extrapolate(settings: BenchSettings) -> Iterator[Measurement]:
    """Yield what a million classes need, at the other sizes of the paper: counted, compiled, and by measured rates."""
    many = PAPER._replace(n_classes=MANY_CLASSES)
    work, traffic = operations(many), _traffic(many)
    note = f"6 B L d K = 6 x {many.batch_size} x {many.sentence_length} x {many.embedding_dim} x 10^6"
    yield _extrapolated("a step", "operations", "GFLOP", work / 1e9, note)
    note = f"24 K (L d + B) bytes = 24 x 10^6 x {many.sentence_length * many.embedding_dim + many.batch_size}"
    yield _extrapolated("a step", "traffic", "GB", traffic / 1e9, note)
    fitted = [_training(PAPER._replace(n_classes=n_classes), settings) for n_classes in FITTED_CLASSES]
    yield from _memories(many, fitted, settings.precision)
    rates = operations(PAPER._replace(n_classes=FITTED_CLASSES[-1])) / take_turns(fitted[-1:], settings.rounds)[""]
    note = (
        f"{work / 1e9:g} GFLOP / ({np.median(rates) / 1e9:.3g} GFLOP/s, measured for steps at K = {FITTED_CLASSES[-1]})"
    )
    yield _extrapolated("one device here", "time", "ms/step", 1e3 * work / rates, note)
    yield _accelerated(H100, 1, many)
    yield _accelerated(H100, SLICE, many)


def _memories(many: Sizes, fitted: list[Contestant], precision: str) -> Iterator[Measurement]:
    """Yield the memory of a device, alone and of a slice: by a law from small programs, and by the compiler."""
    small, large = (1e6 * _memory(contestant) for contestant in fitted)
    per_class = (large - small) / (FITTED_CLASSES[1] - FITTED_CLASSES[0])
    offset = small - per_class * FITTED_CLASSES[0]
    counted = (held_bytes(many._replace(n_classes=2 * many.n_classes)) - held_bytes(many)) / many.n_classes
    note = (
        f"{offset / 1e6:.3g} MB + {per_class:,.0f} bytes x 10^6, from the programs of K = {FITTED_CLASSES[0]} and"
        f" {FITTED_CLASSES[1]}; counted 4 (2 L d + B + L) = {counted:,.0f} bytes for a class"
    )
    yield _extrapolated("one device, by the law", "memory", "GB", (offset + per_class * many.n_classes) / 1e9, note)
    program = Program(make_spec(many, LEAST_STEPS, precision), Layout(1, 1, 1))
    note = (
        f"counted by the compiler for the program of K = 10^6, not run; {program.bytes_needed() / 1e9:.4g} GB while the"
        f" run is measured; {H100.name}: {H100.memory / 1e9:g} GB"
    )
    yield _extrapolated("one device, compiled", "memory", "GB", program.bytes_needed("segment") / 1e9, note)
    classifier = FLOAT_BYTES * many.n_classes * many.sentence_length * many.embedding_dim / SLICE
    note = (
        f"4 (K (2 L d + B) / {SLICE} + K L + 2 n_w d + 2 B L d) bytes: its share of the classifier, "
        f"{classifier / 1e6:.3g} MB, twice, of the logits, and all latents"
    )
    yield _extrapolated(f"each of {SLICE}, counted", "memory", "GB", held_bytes(many, SLICE) / 1e9, note)


def _accelerated(device: Accelerator, n_devices: int, sizes: Sizes) -> Measurement:
    """Return the least time of a step by the data sheet: products or traffic, and then the collectives."""
    work, traffic = operations(sizes) / n_devices, _traffic(sizes) / n_devices
    computing, moving = 1e3 * work / device.rate, 1e3 * traffic / device.bandwidth
    note = (
        f"not measured: the larger of {work / 1e9:.4g} GFLOP / {device.rate / 1e12:g} TFLOP/s = {computing:.3g} ms and"
        f" {traffic / 1e9:.3g} GB / {device.bandwidth / 1e12:g} TB/s = {moving:.3g} ms"
    )
    sending = 0.0
    if n_devices > 1:
        shared = collective_bytes(sizes)
        sending = 2e3 * (n_devices - 1) / n_devices * shared / device.link
        note += (
            f"; plus 2 x {n_devices - 1}/{n_devices} x 4 (B L d + 3 B) = {shared / 1e6:.3g} MB"
            f" / {device.link / 1e9:g} GB/s = {sending:.2g} ms, without latencies"
        )
    name = f"{n_devices} x {device.name}, at best"
    return _extrapolated(name, "time", "ms/step", max(computing, moving) + sending, f"{note} ({device.source})")


def collective_bytes(sizes: Sizes) -> int:
    """Return the bytes that all devices of the class axis add up or compare in a step.

    For each sentence the largest logit, the sum of exponentials and the logit of its class; and the gradient of its
    word vectors. These are the reductions in the compiled program.
    """
    width = sizes.sentence_length * sizes.embedding_dim
    return FLOAT_BYTES * sizes.batch_size * (width + 3)


def _traffic(sizes: Sizes) -> int:
    """Return the bytes that a step moves at least where nothing large fits in a cache: six passes over two arrays.

    Classifier: read for the logits and for the gradient of the words, its gradient written and read, itself read and
    written by the update. Logits: written, read for the maximum and for the softmax, which is written, and read by
    two products.
    """
    width = sizes.sentence_length * sizes.embedding_dim
    return 6 * FLOAT_BYTES * sizes.n_classes * (width + sizes.batch_size)


def _extrapolated(contestant: str, quantity: str, unit: str, samples: np.ndarray | float, note: str) -> Measurement:
    where = ("scaling", "K = 10^6, extrapolated", contestant)
    return summarise(where, quantity, unit, samples)._replace(note=note)
