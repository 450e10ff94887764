"""The time to the minimum: ours against the paper's SGD in PyTorch, to a risk within 1e-3 of the certified minimum.

Compilation and what decides that a run has arrived are off the clock, for all alike.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks import pytorch
from experiments.benchmarks.measurement import Measurement, Part, summarise, unmeasured
from experiments.benchmarks.settings import BenchSettings
from experiments.core.training_choices import hyperparameters_by_name
from experiments.feature_collapse.configuration import PAPER, QUICK
from experiments.feature_collapse.optimality import certify_member
from experiments.feature_collapse.training_spec import WordSpec, make_training_spec
from simlab.data.sources import FixedSample, FreshExamples
from simlab.exact.reduced import ReducedMinimum, minimise_reduced
from simlab.losses.classification import Hyperparameters
from simlab.losses.cross_entropy import evaluate
from simlab.losses.penalties import penalty
from simlab.networks.logits import choose_logits
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member, stack_inputs
from simlab.sweeps.program import Program
from simlab.sweeps.sweep import train_members
from simlab.tasks.batch import Batch
from simlab.validation import check_count

# A run has arrived when its risk is at most this much above the certified minimum, relative to it.
EXCESS = 1e-3
# Steps of L-BFGS between two looks at the risk, and steps after which it is taken to have converged.
STEPS_PER_LOOK, STEPS_TO_CONVERGE = 2, 200
# Seconds of SGD between two looks, and after which it is given up.
LOOK_SECONDS = {"quick": 1.0, "paper": 10.0}
LIMIT_SECONDS = {"quick": 120.0, "paper": 1800.0}
# Fresh sentences on which the population risk is compared with that of the minimiser.
N_SENTENCES = 10_000


class Target(NamedTuple):
    """A risk to be reached.

    Attributes:
        minimum: a lower bound of every network's risk, nats.
        gap: of the best network known, above it.
        risk_of: the risk of ``(embeddings, classifier)``, nats.
    """

    minimum: float
    gap: float
    risk_of: Callable[[np.ndarray, np.ndarray], float]

    def excess(self, embeddings, classifier) -> float:
        """Return the risk above the minimum, relative to it."""
        return self.risk_of(embeddings, classifier) / self.minimum - 1


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for a fixed sample of 5 sentences per class, and one for the population."""
    base = {"quick": QUICK, "paper": PAPER}[settings.preset]
    # The runs stop when they arrive; the steps of the configuration are not used.
    configuration = base.replace(word_frequency="uniform", n_steps=1)
    spec = make_training_spec(configuration)
    rates = hyperparameters_by_name(spec.objective, configuration)
    yield Part("fixed sample", partial(_measure_sample, spec, rates, settings))
    fresh = FreshExamples(batch_size=check_count("batch_size", configuration.batch_size))
    yield Part("population", partial(_measure_population, replace(spec, source=fresh), rates, settings))


def _measure_sample(spec: WordSpec, rates: Hyperparameters, settings: BenchSettings) -> Iterator[Measurement]:
    n_examples = spec.source.n_examples if isinstance(spec.source, FixedSample) else 0
    case = f"{settings.preset} preset, fixed sample of {n_examples // spec.task.n_classes} per class"
    whole = replace(
        spec,
        source=FixedSample(n_examples=n_examples, batch_size="all"),
        optimizer="lbfgs",
        n_steps=STEPS_TO_CONVERGE,
        steps_per_record=STEPS_PER_LOOK,
        n_evaluation=n_examples,
    )
    target = _sample_target(whole, rates)
    seconds, compiled = _time_search(whole, rates, target, settings.rounds)
    where = ("minimum", case, "simlab, L-BFGS")
    yield summarise(where, "time", "s", seconds)
    yield summarise(where, "compile time", "s", compiled)
    yield summarise(where, "certified gap", "relative", target.gap / target.minimum)
    yield from _measure_sgd(case, spec, rates, target, settings.preset, float(np.median(seconds)))


def _measure_population(spec: WordSpec, rates: Hyperparameters, settings: BenchSettings) -> Iterator[Measurement]:
    case = f"{settings.preset} preset, population"
    first, minimum = _time_reduced(spec, rates)
    seconds = [_time_reduced(spec, rates)[0] for _ in range(min(settings.rounds, 3))]
    target = _population_target(spec, rates, minimum)
    where = ("minimum", case, "simlab, reduced solver")
    yield summarise(where, "time", "s", seconds)
    yield summarise(where, "compile time", "s", max(0.0, first - float(np.median(seconds))))
    yield summarise(where, "certified gap", "relative", target.gap / target.minimum)
    yield from _measure_sgd(case, spec, rates, target, settings.preset, float(np.median(seconds)))


def _sample_target(spec: WordSpec, rates: Hyperparameters) -> Target:
    """Return the least risk of the fixed sample, certified at the end of a long run."""
    member = Member(spec, rates, 0)
    [run] = train_members([member], layouts=[Layout(1, 1, 1)])
    sample = pytorch.training_set(spec)
    certificate = certify_member(member, run, sample)
    if certificate is None:
        raise ArithmeticError(f"the run to the minimum {run.status} and has no certificate")
    return Target(certificate.lower_bound, certificate.gap, _risk_on(sample, rates))


def _risk_on(sample: Batch, rates: Hyperparameters) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return the function that gives the risk of ``(embeddings, classifier)`` with the cross-entropy on a sample."""
    decays = (rates.embedding_weight_decay, rates.classifier_weight_decay)
    sample = jax.tree.map(jnp.asarray, sample)

    @jax.jit
    def risk(embeddings, classifier):
        n_words, dim = embeddings.shape
        logits = choose_logits(n_words, dim, len(sample.classes))
        network = lambda sentences: logits(embeddings, classifier, sentences)  # noqa: E731
        return evaluate(network, sample, len(classifier)).cross_entropy + penalty((embeddings, classifier), decays)

    def risk_of(embeddings, classifier) -> float:
        return float(risk(jnp.asarray(embeddings, jnp.float32), jnp.asarray(classifier, jnp.float32)))

    return risk_of


def _time_search(spec: WordSpec, rates: Hyperparameters, target: Target, rounds: int) -> tuple[list[float], float]:
    """Return the seconds of each run of L-BFGS to the target, and of the compilation."""
    started = time.perf_counter()
    program = Program(spec, Layout(1, 1, 1))
    program.segment  # noqa: B018
    compiled = time.perf_counter() - started
    inputs, occupied = program.put(stack_inputs([Member(spec, rates, 0)]), np.ones(1, bool))

    def run() -> float:
        problem, rows = program.begin(inputs, occupied)
        elapsed = 0.0
        while True:
            started = time.perf_counter()
            rows = jax.block_until_ready(program.segment(problem, rows, inputs))
            elapsed += time.perf_counter() - started
            rows, report = program.record(problem, rows, inputs)
            if report.record.metrics.risk[0] <= target.minimum * (1 + EXCESS) or report.status[0] != 0:
                return elapsed

    run()
    return [run() for _ in range(min(rounds, 3))], compiled


def _time_reduced(spec: WordSpec, rates: Hyperparameters) -> tuple[float, ReducedMinimum]:
    """Return the seconds that the reduced solver takes for the latents of seed 0, and its minimum."""
    task = spec.task
    decays = (float(rates.embedding_weight_decay), float(rates.classifier_weight_decay))
    latents = Member(spec, rates, 0).data.latents
    started = time.perf_counter()
    minimum = minimise_reduced(latents, task.n_concepts, task.words_per_concept, spec.network.embedding_dim, decays)
    return time.perf_counter() - started, minimum


def _population_target(spec: WordSpec, rates: Hyperparameters, minimum: ReducedMinimum) -> Target:
    """Return the least population risk; other networks are compared with its minimiser sentence by sentence.

    The two lose on the same sentences, so that the difference is known far better than either risk.
    """
    seen = replace(spec, source=FixedSample(n_examples=-(-N_SENTENCES // spec.task.n_classes) * spec.task.n_classes))
    risk_of = _risk_on(pytorch.training_set(seen), rates)
    least = risk_of(minimum.embeddings, minimum.classifier)
    bound = minimum.risk - minimum.risk_gap
    return Target(bound, minimum.risk_gap, lambda *weights: minimum.risk + risk_of(*weights) - least)


def _measure_sgd(
    case: str, spec: WordSpec, rates: Hyperparameters, target: Target, preset: str, ours: float
) -> Iterator[Measurement]:
    """Yield the time of the paper's SGD in PyTorch, eager, and how many times ours that is."""
    where = ("minimum", case, "PyTorch, the paper's SGD")
    if not pytorch.is_installed():
        yield unmeasured(where, "s")
        return
    elapsed, steps, excess = _time_sgd(spec, rates, target, preset)
    note = "" if excess <= EXCESS else f"given up after {elapsed:.0f} s, {excess:.1e} above the minimum: a lower bound"
    yield summarise(where, "time", "s", elapsed)._replace(note=note)
    yield summarise(where, "steps", "", steps)
    yield summarise(where, "times ours", "", elapsed / ours)


def _time_sgd(spec: WordSpec, rates: Hyperparameters, target: Target, preset: str) -> tuple[float, int, float]:
    """Return the seconds of training until a look finds the target, the steps, and the excess there."""
    loop = pytorch.begin(spec, rates)
    loop.take(1)
    elapsed, steps, chunk = 0.0, 1, 20
    while True:
        started = time.perf_counter()
        loop.take(chunk)
        seconds = time.perf_counter() - started
        elapsed, steps = elapsed + seconds, steps + chunk
        excess = target.excess(*pytorch.weights_of(loop.network, spec))
        if excess <= EXCESS or elapsed > LIMIT_SECONDS[preset]:
            return elapsed, steps, excess
        chunk = max(1, round(chunk / seconds * LOOK_SECONDS[preset]))
