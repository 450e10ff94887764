"""An encoder of observations under the spectral contrastive loss (HaoChen et al., 2021) of all pairs."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from itertools import pairwise

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.sweeps.members import Member


def make(member: Member) -> Peer:
    """Return the loss of the whole graph of pairs."""
    from torch import nn
    from torch.nn.functional import normalize

    network, n_inputs = member.spec.network, member.data.inputs.shape[1]
    widths = [n_inputs, *[network.hidden_width] * network.depth]
    layers = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.GELU(approximate="tanh")]
    encoder = nn.Sequential(*layers, nn.Linear(widths[-1], network.output_dim)).to(device_name())

    def loss(inputs, joint):
        embeddings = encoder(inputs)
        if network.is_unit:
            embeddings = normalize(embeddings, dim=1)
        moment = embeddings.T @ (joint.sum(dim=1, keepdim=True) * embeddings)
        return -2 * (embeddings * (joint @ embeddings)).sum() + (moment**2).sum()

    parameters = {}
    for number, layer in enumerate(encoder[::2]):
        parameters |= {f"layers/{number}/kernel": layer.weight, f"layers/{number}/bias": layer.bias}
    return Peer(parameters, loss)
