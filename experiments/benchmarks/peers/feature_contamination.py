"""A two-layer network with fixed signs on core and background features (Zhang et al., 2024)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.loop import to_tensors
from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.networks.signed_relu import unit_signs
from simlab.sweeps.members import Member
from simlab.validation import invalid


def make(member: Member) -> Peer:
    """Return the hinge or logistic loss of the label; inputs are the features themselves."""
    import torch
    from torch.nn.functional import leaky_relu, softplus

    spec, task, device = member.spec, member.spec.task, device_name()
    if task.input_dim is not None or spec.network.activation != "relu" or task.strengths != "uniform":
        raise invalid("task", "uniform features as inputs, and ReLUs, in PyTorch's place", task)
    n_hidden, slope = spec.network.n_hidden, float(member.hyperparameters.leaky_slope)
    weights = torch.nn.Parameter(torch.randn(n_hidden, task.n_inputs, device=device))
    [readout] = to_tensors(unit_signs(n_hidden).astype(spec.dtype) / n_hidden)
    half_width = 3**0.5 * task.strength_deviation
    classes = torch.arange(spec.source.batch_size, device=device) % 2
    signs = (2 * classes - 1).to(readout.dtype)[:, None]

    def loss(features, classes):
        outputs = leaky_relu(features @ weights.T, slope) @ readout
        margins = (2 * classes - 1) * outputs
        losses = torch.relu(1 - margins) if spec.objective.loss_function == "hinge" else softplus(-margins)
        return losses.mean()

    def draw():
        noise = half_width * (2 * torch.rand(len(classes), task.n_features, device=device) - 1)
        core = signs * (task.core_mean + noise[:, : task.core_features])
        return torch.cat([core, task.background_mean + noise[:, task.core_features :]], dim=1), classes

    return Peer({"weights": weights}, loss, draw)
