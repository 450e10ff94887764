"""The certified distance of trained features and classifier from the global minimum of their risk."""

import numpy as np

from experiments.neural_collapse.training_spec import ClassSpec
from simlab.losses.classification import Hyperparameters
from simlab.sweeps.members import Member, MemberRun
from theory.optimality.certificates import Certificate, certify
from theory.optimality.factor_certificate import certify_factors


def certify_member(member: Member[ClassSpec, Hyperparameters], run: MemberRun) -> Certificate | None:
    """Return the certificate of a member, or None for a diverged run.

    For the certificate, each sample is a sentence of one word that occurs nowhere else. The bound also holds for a
    network that computes the features, because no network has a smaller risk than free features.
    """
    if run.status == "diverged":
        return None
    task, rates = member.spec.task, member.hyperparameters
    decays = float(rates.embedding_weight_decay), float(rates.classifier_weight_decay)
    if task.heads is not None:
        names = ("feature_weight_decay", "classifier_weight_decay")
        classifier = run.final["classifier"]
        return certify_factors(
            task.labels, task.heads, run.final["features"], classifier, **dict(zip(names, decays, strict=True))
        )
    n_samples = task.n_examples
    return certify(
        np.arange(n_samples)[:, None],
        task.labels[:, 0],
        np.full(n_samples, 1 / n_samples),
        run.final["features"],
        run.final["classifier"][:, None],
        embedding_weight_decay=decays[0],
        classifier_weight_decay=decays[1],
    )
