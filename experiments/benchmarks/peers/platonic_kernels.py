"""A free vector for each event under InfoNCE of a table of co-occurrences (Huh et al., 2024)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.sweeps.members import Member
from simlab.validation import invalid


def make(member: Member) -> Peer:
    """Return the mean loss over all positive pairs, with all events as negatives."""
    import math

    import torch

    spec, tau = member.spec, float(member.hyperparameters.temperature)
    network = spec.network
    if network.n_encoders != 1 or network.hidden_width is not None or spec.objective != type(spec.objective)():
        raise invalid("network", "a free vector for each event, and inner products, in PyTorch's place", network)
    n_symbols = int(max(member.data.first.max(), member.data.second.max())) + 1
    vectors = torch.nn.Parameter(torch.randn(n_symbols, network.output_dim, device=device_name()))

    def loss(probabilities, first, second):
        scores = vectors[first] @ vectors[second].T / tau
        anchors, candidates = probabilities.sum(dim=1), probabilities.sum(dim=0)
        negatives = anchors @ torch.logsumexp(scores + candidates.log(), dim=1)
        return negatives + math.log(len(candidates)) - (probabilities * scores).sum()

    return Peer({"vectors": vectors}, loss)
