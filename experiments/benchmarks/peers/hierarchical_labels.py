"""Unconstrained features, trained on labels that are uncertain within a tree of classes."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.loop import to_tensors
from experiments.benchmarks.peers.neural_collapse import free_features
from experiments.benchmarks.peers.peer import Peer
from simlab.sweeps.members import Member


def make(member: Member) -> Peer:
    """Return the mean cross-entropy with the distribution of each sample's label."""
    from torch.nn.functional import cross_entropy

    features, classifier = free_features(member)
    [targets] = to_tensors(member.data.targets)

    def loss(samples, classes, weights):
        return cross_entropy(features @ classifier.T, targets[classes])

    return Peer({"features": features, "classifier": classifier}, loss)
