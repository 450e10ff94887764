"""The excess of members over the best lower bound of their training set.

The lower bound of a certificate is constructed from the certified network. It lies below the minimum by the first order
in the distance from it, whereas the risk lies above by the second order. A noisy network can therefore be much closer
to the minimum than its own certificate proves. A bound from a second network on the same training set, trained to
convergence by L-BFGS, is tighter. That network has twice the dimensions: bounds hold for all dimensions, and on few
sentences the minimum may need more dimensions than the members have, whose own certificates are then loose.
"""

import numpy as np
import xarray

from experiments.core.columns import attach, each_member
from experiments.core.experiment import Plan, make_plan
from experiments.core.phenomenon import Variable
from experiments.core.sweep import run_plan
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.members import WordMember
from simlab.data.sources import FixedSample

# L-BFGS on the whole training set: length and initial scale. The wider network has equal penalties at equal logits.
WIDER = 2
DESCENT = {
    "optimizer": "lbfgs",
    "batch_size": "all",
    "learning_rate": WordConfiguration.learning_rate,
    "initial_scale": 0.1,
    "n_steps": 400,
    "n_records": 10,
    "until": "gradient-norm=1e-5",
}

VARIABLES = {
    "relative_gap": Variable((), "duality gap of the member's own certificate, as a share of the training risk"),
    "best_lower_bound": Variable((), "largest lower bound proved on the member's training set", "nats"),
    "excess": Variable((), "training risk above the best lower bound, as a share of the risk"),
    "history_excess": Variable(
        ("record",), "excess at each record; NaN if records cover a part of the training set only"
    ),
    "descended_risk": Variable((), "risk of a network twice as wide after L-BFGS on the same training set", "nats"),
    "descended_excess": Variable((), "excess of that risk over the best lower bound, as a share of the risk"),
}

# The L-BFGS run on the whole training set (None if there is no fixed set), and the seed.
TrainingSet = tuple[WordConfiguration | None, int]


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add :data:`VARIABLES`; NaN for fresh sentences, which have no fixed training set."""
    wholes = [_whole(cell.configuration) for cell in plan.cells]
    descended = _descend(plan, list(dict.fromkeys(whole for whole in wholes if whole is not None)))
    bounds = dataset.risk_lower_bound.values
    members = list(each_member(dataset, plan))
    keys = [(_whole(cell.configuration), member.seed) for _, cell, member in members]
    best: dict[TrainingSet, float] = {}
    for (index, _, _), key in zip(members, keys, strict=True):
        proved = (bounds[index], best.get(key, np.nan), descended.get(key, (np.nan, np.nan))[1])
        best[key] = np.fmax.reduce(proved)
    rows = []
    for (index, _, member), key in zip(members, keys, strict=True):
        risk, history = dataset.training_risk.values[index], dataset.history_risk.values[index]
        descended_risk = descended.get(key, (np.nan, np.nan))[0]
        rows.append(
            {
                "relative_gap": dataset.duality_gap.values[index] / risk,
                "best_lower_bound": best[key],
                "excess": 1 - best[key] / risk,
                "history_excess": 1 - best[key] / (history if _sees_all(member) else np.full_like(history, np.nan)),
                "descended_risk": descended_risk,
                "descended_excess": 1 - best[key] / descended_risk,
            }
        )
    return attach(dataset, plan, rows, VARIABLES)


def _whole(configuration: WordConfiguration) -> WordConfiguration | None:
    """Return the L-BFGS run on the whole training set, equal for all cells that share it; None for fresh sentences."""
    if configuration.source == "fresh":
        return None
    wider = configuration.replace(**DESCENT, embedding_dim=WIDER * configuration.embedding_dim)
    if configuration.normalised_by == "none":
        return wider
    # Norms of normalised vectors grow with the root of the dimension, and those of the classifier shrink by the same.
    return wider.replace(classifier_weight_decay=WIDER * configuration.classifier_weight_decay)


def _descend(plan: Plan, wholes: list[WordConfiguration]) -> dict[TrainingSet, tuple[float, float]]:
    """Return risk and lower bound of L-BFGS by training set and seed."""
    if not wholes:
        return {}
    regimes = {str(number): whole for number, whole in enumerate(wholes)}
    dataset = run_plan(make_plan(plan.name, plan.phenomenon, regimes, plan.seeds))
    pairs = np.stack([dataset.training_risk.values, dataset.risk_lower_bound.values], axis=-1)
    return {
        (whole, seed): tuple(pairs[row, column])
        for row, whole in enumerate(wholes)
        for column, seed in enumerate(plan.seeds)
    }


def _sees_all(member: WordMember) -> bool:
    """Return whether the records of a member cover its whole training set."""
    spec = member.spec
    if isinstance(spec.source, FixedSample):
        return spec.n_evaluation >= spec.source.n_examples
    return spec.source.is_population
