"""Image and text vectors under the loss of CLIP (Radford et al., 2021; Liang et al., 2022)."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from experiments.benchmarks.peers.peer import Peer
from experiments.benchmarks.pytorch import device_name
from simlab.sweeps.members import Member
from simlab.validation import invalid


def make(member: Member) -> Peer:
    """Return the symmetric cross-entropy with the probability of each pair, at a learnable temperature."""
    import math

    import torch
    from torch.nn.functional import cross_entropy, normalize

    spec, device, most = member.spec, device_name(), math.log(float(member.hyperparameters.clip))
    if not hasattr(spec.network, "output_dim") or hasattr(spec.network, "depth"):
        raise invalid("network", "a free vector for each image and text in PyTorch's place", spec.network)
    shape = (spec.task.n_pairs, spec.network.output_dim)
    images, texts = (torch.nn.Parameter(torch.randn(shape, device=device)) for _ in range(2))
    log_scale = torch.nn.Parameter(torch.zeros((), device=device))

    def loss(first, second, targets):
        scale = log_scale.clamp(max=most).exp()
        logits = scale * normalize(images[first], dim=1) @ normalize(texts[second], dim=1).T
        return (cross_entropy(logits, targets) + cross_entropy(logits.T, targets.T)) / 2

    return Peer({"images": images, "texts": texts, "log_inverse_temperature": log_scale}, loss)
