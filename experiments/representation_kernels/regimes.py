"""Platonic kernels (Huh et al., 2024): which architectures, widths and modalities learn the same kernel."""

from experiments.core.experiment import Experiment, Regime
from experiments.representation_kernels.configuration import KernelConfiguration
from experiments.representation_kernels.phenomenon import PLATONIC_KERNELS

FREE = KernelConfiguration(n_steps=300)
LARGE = KernelConfiguration(events=24, output_dim=24, n_steps=1500)

REGIMES = (
    Regime(
        name="one-encoder",
        summary="one free vector per event, shared by both sides of a pair",
        quick=FREE,
        paper=LARGE,
    ),
    Regime(
        name="perceptron",
        summary="a perceptron that reads random codes of events, with twice the dimensions",
        quick=FREE.replace(architecture="mlp", output_dim=24, n_steps=400),
        paper=LARGE.replace(architecture="mlp", output_dim=48, hidden_width=128, code_dim=32, n_steps=3000),
    ),
    Regime(
        name="two-encoders",
        summary="one encoder for each side of a pair",
        quick=FREE.replace(encoders=2),
        paper=LARGE.replace(encoders=2),
    ),
    Regime(
        name="two-modalities",
        summary="one side of a pair shows blocks, the other events",
        quick=FREE.replace(encoders=2, partner_blocks=1),
        paper=LARGE.replace(encoders=2, partner_blocks=1),
    ),
    Regime(
        name="indefinite",
        summary="another world, whose PMI a single encoder cannot represent",
        quick=FREE.replace(window="gaussian"),
        paper=LARGE.replace(window="gaussian"),
    ),
    Regime(
        name="narrow",
        summary="control that must fail: fewer dimensions than the rank of the kernel",
        quick=FREE.replace(output_dim=3),
        paper=LARGE.replace(output_dim=3),
    ),
)


def derive(dataset, plan):
    """Add the CKA between learned kernels, and PMI."""
    from experiments.representation_kernels import derived

    return derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="platonic-kernels",
    summary="the kernel that encoders, architectures and modalities share, and the effect of a coarse modality",
    regimes=REGIMES,
    quick_time="20 s",
    paper_time="1 min (1 seed)",
    phenomenon=PLATONIC_KERNELS,
    vary={"quick": {"blocks": [1, 2, 3, 4, 6]}, "paper": {"blocks": [1, 2, 3, 4, 6, 8, 12]}},
    seeds={"quick": 2, "paper": 3},
    derive=derive,
    figures=(
        "representation_kernels.coarse_views",
        "representation_kernels.learned_kernel",
        "representation_kernels.alignment_matrix",
    ),
    talk=("representation_kernels.coarse_views", "What do two modalities share?"),
)
