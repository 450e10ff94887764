"""Two linear layers from one-hot items to properties (Saxe, McClelland, Ganguli, 2019), along gradient flow."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.losses.squared_error import CLASSICAL_STAGES
from simlab.sweeps.members import Member
from simlab.validation import invalid


def make(member: Member) -> Peer:
    """Return half the squared error, whose gradient is the slope of a Runge-Kutta step or the plain one."""
    import torch

    spec, device = member.spec, device_name()
    if spec.network.n_layers != 2:
        raise invalid("n_layers", "2 in PyTorch's place", spec.network.n_layers)
    n_properties, n_items = spec.task.shape
    width, time = spec.network.hidden_width, float(member.hyperparameters.learning_rate)
    first = torch.nn.Parameter(torch.randn(width, n_items, device=device))
    second = torch.nn.Parameter(torch.randn(n_properties, width, device=device))

    def slopes(first, second, target):
        error = second @ first - target
        return second.T @ error, error @ first.T

    def flow(target):
        start = first.detach(), second.detach()
        slope, mean = (torch.zeros_like(start[0]), torch.zeros_like(start[1])), [0.0, 0.0]
        for ahead, share in CLASSICAL_STAGES:
            slope = slopes(start[0] - ahead * time * slope[0], start[1] - ahead * time * slope[1], target)
            mean = [mean[0] + share * slope[0], mean[1] + share * slope[1]]
        value = ((target - start[1] @ start[0]) ** 2).sum() / 2
        return value + ((first - start[0]) * mean[0]).sum() + ((second - start[1]) * mean[1]).sum()

    def descent(target):
        return ((target - second @ first) ** 2).sum() / 2

    loss = flow if spec.objective.integrator == "runge-kutta" else descent
    return Peer({"layers/layer_1": first, "layers/layer_2": second}, loss)
