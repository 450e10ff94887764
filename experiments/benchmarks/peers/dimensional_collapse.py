"""A linear encoder under InfoNCE of augmented pairs (Jing et al., 2022), in expectation over Gaussian inputs."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.sweeps.members import Member
from simlab.validation import invalid


def make(member: Member) -> Peer:
    """Return the expected loss of the distance, a function of the second moments of pairs."""
    import torch

    spec = member.spec
    if spec.objective.similarity != "distance":
        raise invalid("similarity", "distance in PyTorch's place", spec.objective.similarity)
    n_outputs, tau = spec.network.output_dim, float(member.hyperparameters.temperature)
    weights = torch.nn.Parameter(torch.randn(n_outputs, len(spec.task.variances), device=device_name()))
    identity = torch.eye(n_outputs, device=device_name())

    def loss(metric, spread, overlap):
        grown = identity + weights @ metric @ weights.T / tau
        kept = n_outputs - torch.linalg.inv(grown).trace()
        attraction = (weights @ spread * weights).sum() / (2 * tau)
        return attraction - torch.linalg.slogdet(grown).logabsdet / 2 - kept / 2

    return Peer({"weights": weights}, loss)
