"""What contrastive encoders recover of a hidden manifold: eigenfunctions, or the sphere itself."""

from experiments.core.experiment import Experiment, Regime
from experiments.hidden_manifold.configuration import ManifoldConfiguration
from experiments.hidden_manifold.phenomenon import HIDDEN_MANIFOLD

CIRCLE = ManifoldConfiguration(frequency=5.0)
TORUS = ManifoldConfiguration(manifold="torus", n_points=196, observed_dim=12)
SPHERE = ManifoldConfiguration(manifold="sphere", n_points=256, output_dim=4)
CONTRAST = SPHERE.replace(objective="info-nce", output_dim=3, learning_rate=3e-3, n_steps=600)

REGIMES = (
    Regime(
        name="circle",
        summary="spectral loss: the constant and two waves",
        quick=CIRCLE,
        paper=CIRCLE.replace(n_steps=4000, hidden_width=128),
    ),
    Regime(
        name="torus",
        summary="spectral loss: the constant and the first wave of each angle",
        quick=TORUS,
        paper=TORUS.replace(n_points=400, n_steps=4000, hidden_width=128),
    ),
    Regime(
        name="sphere",
        summary="spectral loss: the constant and the degree-1 harmonics, the sphere itself",
        quick=SPHERE,
        paper=SPHERE.replace(n_points=512, n_steps=4000, hidden_width=128),
    ),
    Regime(
        name="restricted",
        summary="the same with partners in the same hemisphere: one coordinate is lost",
        quick=SPHERE.replace(support="folded", output_dim=6),
        paper=SPHERE.replace(support="folded", output_dim=6, n_points=512, n_steps=4000, hidden_width=128),
    ),
    Regime(
        name="infonce",
        summary="unit embeddings at the matching temperature: a rotation, or a fold",
        quick=CONTRAST,
        paper=CONTRAST.replace(batch_size=1024, n_steps=4000, hidden_width=128),
    ),
    Regime(
        name="infonce-4d",
        summary="the same with a fourth dimension, which allows unfolding",
        quick=CONTRAST.replace(output_dim=4),
        paper=CONTRAST.replace(output_dim=4, batch_size=1024, n_steps=4000, hidden_width=128),
    ),
    Regime(
        name="infonce-restricted",
        summary="control: three dimensions, partners in the same hemisphere",
        quick=CONTRAST.replace(support="folded"),
        paper=CONTRAST.replace(support="folded", batch_size=1024, n_steps=4000, hidden_width=128),
    ),
)


def derive(dataset, plan):
    """Add the true coordinates of the points."""
    from experiments.hidden_manifold import derived

    return derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="hidden-manifold",
    summary="which functions of a hidden circle, torus or sphere a contrastive encoder learns",
    regimes=REGIMES,
    quick_time="40 s",
    phenomenon=HIDDEN_MANIFOLD,
    seeds={"quick": 6, "paper": 12},
    derive=derive,
    talk=("hidden_manifold.recovered", "What does an encoder recover of a hidden manifold?"),
)
