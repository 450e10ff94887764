"""Unconstrained features: a free vector for each sample, and a linear classifier (Zhu et al., 2021)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.sweeps.members import Member


def make(member: Member) -> Peer:
    """Return the mean cross-entropy of all samples."""
    from torch.nn.functional import cross_entropy

    features, classifier = free_features(member)

    def loss(samples, labels, weights):
        return cross_entropy(features @ classifier.T, labels)

    return Peer({"features": features, "classifier": classifier}, loss)


def free_features(member: Member) -> tuple:
    """Return features and classifier as parameters."""
    import torch

    task, dim, device = member.spec.task, member.spec.network.feature_dim, device_name()
    features = torch.nn.Parameter(torch.randn(task.n_examples, dim, device=device))
    return features, torch.nn.Parameter(torch.randn(task.n_classes, dim, device=device))
