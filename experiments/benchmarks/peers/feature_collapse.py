"""Sentences of words: an embedding and a linear layer (Laurent, von Brecht, Bresson, 2023)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import make_network
from simlab.sweeps.members import Member


def make(member: Member) -> Peer:
    """Return cross-entropy of the class of a sentence."""
    from torch.nn.functional import cross_entropy

    network = make_network(member.spec, 1.0)
    embeddings, classifier = network.parameters()

    def loss(sentences, labels):
        return cross_entropy(network(sentences), labels)

    return Peer({"embeddings": embeddings, "classifier": classifier}, loss)
