"""simlab: train networks on structured tasks and measure the representations that they learn.

The words used throughout:

task
    What is learned: a specification (:class:`simlab.tasks.sentence_task.SentenceTask`) and its sampler.
latents
    ``Int[K, L]``: the sequence of concepts that defines each of the ``K`` classes.
sentence
    ``Int[L]``: one word for each concept of a latent.
embeddings
    ``W``, ``Float[n_w, d]``: one vector per word.
classifier
    ``U``, ``Float[K, L, d]``: one vector per class and position.
weight decay
    ``lam``: coefficient of the L2 penalty ``lam/2 |.|^2`` of the risk.
risk
    Cross-entropy plus penalty, in nats.
member
    One training run of a sweep.

The package does not import ``theory``, whose predictions its results are compared with. The names needed to write a
new phenomenon are imported from here::

    from simlab import Architecture, Objective, Task, TrainingSpec

``import simlab`` is cheap: a module is imported on first access to one of its names.

The packages ``experiments``, ``theory`` and ``figures`` are installed at the top level. In a project with folders of
the same names, ``from simlab import experiments`` imports the package of simlab.
"""

import importlib
from typing import Any

from simlab.packages import PACKAGES, own_package

__version__ = "0.2.0"

_HOMES = {
    "Architecture": "simlab.networks.specs.architecture",
    "Batch": "simlab.tasks.batch",
    "Bound": "simlab.losses.objective",
    "EvaluationSet": "simlab.losses.objective",
    "FixedSample": "simlab.data.sources",
    "FreshExamples": "simlab.data.sources",
    "Member": "simlab.sweeps.members",
    "MemberRun": "simlab.sweeps.members",
    "Metric": "simlab.losses.objective",
    "Objective": "simlab.losses.objective",
    "Population": "simlab.data.sources",
    "Stage": "simlab.training.spec",
    "Task": "simlab.tasks.task",
    "TrainingSpec": "simlab.training.spec",
    "make_train": "simlab.training.trainer",
    "train_members": "simlab.sweeps.sweep",
}


def __getattr__(name: str) -> Any:
    if name in PACKAGES:
        return own_package(name)
    if name not in _HOMES:
        raise AttributeError(f"module 'simlab' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *PACKAGES})
