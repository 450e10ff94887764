"""The autoencoder of *Toy Models of Superposition* (Elhage et al., 2022)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.loop import to_tensors
from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.sweeps.members import Member
from simlab.tasks.sparse_features import all_masks, mask_probabilities


def make(member: Member) -> Peer:
    """Return the weighted squared error; every set of active features has its probability, as in ours."""
    import torch

    task, network, device = member.spec.task, member.spec.network, device_name()
    n_features = task.n_features
    weights = torch.nn.Parameter(torch.randn(network.n_hidden, n_features, device=device))
    bias = torch.nn.Parameter(torch.zeros(n_features, device=device))
    law = member.data
    masks = all_masks(n_features)
    scale = float(law.active_probability * law.importance.min())
    real = member.spec.dtype
    sets, odds, importance = to_tensors(
        [
            masks.T.astype(real),
            mask_probabilities(masks, law.active_probability).astype(real),
            law.importance.astype(real),
        ]
    )
    activate = torch.relu if network.nonlinearity == "relu" else lambda values: values

    def loss(values):
        inputs = sets[:, None] * values
        outputs = activate(inputs @ weights.T @ weights + bias)
        errors = ((inputs - outputs) ** 2 @ importance).mean(dim=1)
        return odds @ errors / scale

    shape = (member.spec.source.batch_size, n_features)
    return Peer({"weights": weights, "bias": bias}, loss, lambda: (torch.rand(shape, device=device),))
