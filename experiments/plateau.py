"""Accuracy during the initial plateau on a fixed sample, predicted and learned: ``python -m experiments.plateau DIR``.

While all weights are small, gradient descent on the sample is linear
(:func:`theory.feature_collapse.samples.linear_descent`). The sample and the initial weights of each seed then determine
the weights at each record. Their accuracy is measured on the same new sentences as that of the learned weights. ``DIR``
holds a saved run of feature collapse on a fixed sample, without LayerNorm, whose records lie in the plateau::

    simlab run uniform-small-sample --preset paper --epochs 200 --seeds 8 --n-records 2 --out DIR
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from experiments.commands.cli import carry_out
from experiments.commands.parser import CommandParser
from experiments.core.experiment import Plan, plan_from_description
from experiments.registry import find_experiment
from experiments.tables.columns import format_columns
from simlab.networks.specs import TwoLayer
from simlab.runtime.random_keys import random_key
from simlab.sweeps.members import Member
from simlab.validation import invalid
from theory.feature_collapse.samples import linear_descent

HEADER = ("regime", "seed", "steps", "accuracy predicted", "learned")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table and return the exit status."""
    parser = CommandParser(prog="python -m experiments.plateau", description="Predict the accuracy during a plateau.")
    parser.add_argument("folder", metavar="DIR", help="folder with a saved run of feature collapse on a fixed sample")
    parser.set_defaults(prepare=_prepare)
    return carry_out(lambda: parser.parse_args(sys.argv[1:] if argv is None else argv))


def _prepare(arguments: argparse.Namespace):
    """Read the run and check that the prediction covers it."""
    from simlab.storage.results import load_dataset

    dataset = load_dataset(arguments.folder)
    if "sweep" not in dataset.attrs or "history_test_accuracy" not in dataset:
        raise invalid("folder", "a saved run of feature collapse", arguments.folder)
    description = json.loads(dataset.attrs["sweep"])
    plan = plan_from_description(description, find_experiment(description["experiment"]))
    for cell in plan.cells:
        spec = cell.spec
        if not spec.source.is_fixed or not isinstance(spec.network, TwoLayer) or spec.network.normalisation != "none":
            raise invalid("folder", "runs of two layers on a fixed sample without LayerNorm", cell.regime)
    return lambda: _print_table(plan, dataset)


def _print_table(plan: Plan, dataset) -> int:
    """Print a line for each member and record, and return exit status 0."""
    order = ("regime", *(axis.name for axis in plan.axes), "seed", "record")
    steps = dataset["step"].values
    accuracies = dataset["history_test_accuracy"].transpose(*order).values.reshape(-1, len(steps))
    members = [(cell, seed) for cell in plan.cells for seed in plan.seeds]
    rows: list[tuple[str, ...]] = [HEADER]
    for (cell, seed), learned in zip(members, accuracies, strict=True):
        predicted = predict_records(Member(cell.spec, cell.hyperparameters, seed))
        for step, expected, measured in zip(steps, predicted, learned, strict=True):
            rows.append((cell.regime, str(seed), str(step), f"{100 * expected:.1f} %", f"{100 * measured:.1f} %"))
    print(format_columns(rows))
    return 0


def predict_records(member: Member) -> Iterator[float]:
    """Yield the accuracy of linear descent at each record of a member, on the evaluation sentences of that record."""
    import jax

    from simlab.training.trainer import make_trainer

    spec, hyper = member.spec, member.hyperparameters
    trainer = make_trainer(spec)
    problem, state = jax.jit(trainer.begin)(random_key(member.seed), member.data, hyper)
    record = jax.jit(trainer.record)
    initial = {name: np.asarray(state.params[name][...]) for name in ("embeddings", "classifier")}
    motion = linear_descent(
        np.asarray(problem.sample.inputs),
        np.asarray(problem.sample.classes),
        initial["embeddings"],
        initial["classifier"],
        learning_rate=float(hyper.learning_rate),
        weight_decay=float(hyper.embedding_weight_decay),
        classifier_weight_decay=float(hyper.classifier_weight_decay),
    )
    for index in range(spec.n_segments + 1):
        weights = motion.weights(min(index * spec.steps_per_record, spec.n_steps))
        for name, value in zip(initial, weights, strict=True):
            state.params[name][...] = value.astype(initial[name].dtype)
        yield float(record(problem, state, hyper, index).metrics.test_accuracy)


if __name__ == "__main__":
    sys.exit(main())
