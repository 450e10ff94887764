"""Neural collapse of unconstrained features (Zhu et al., arXiv 2105.02375) in six regimes."""

from experiments.core.experiment import Experiment, Regime
from experiments.neural_collapse.configuration import ClassConfiguration
from experiments.neural_collapse.phenomenon import NEURAL_COLLAPSE

QUICK = ClassConfiguration()
PAPER = QUICK.replace(n_classes=100, samples_per_class=100, feature_dim=128, n_steps=400, weight_decay=5e-4)

REGIMES = (
    Regime(
        name="balanced",
        summary="a simplex: Type I with L = 1",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="step-imbalance",
        summary="half of the classes are rare, and coincide",
        quick=QUICK.replace(samples_per_class="step:50:25", n_steps=400, weight_decay=7e-3),
        paper=PAPER.replace(samples_per_class="step:200:20"),
    ),
    Regime(
        name="long-tail",
        summary="class sizes fall exponentially",
        quick=QUICK.replace(samples_per_class="long-tail:50:25", n_steps=400),
        paper=PAPER.replace(samples_per_class="long-tail:500:100"),
    ),
    Regime(
        name="factors",
        summary="two labels for each sample: simplices in orthogonal subspaces",
        quick=QUICK.replace(factor_sizes="4x6", samples_per_class=8),
        paper=PAPER.replace(factor_sizes="10x20", samples_per_class=20),
    ),
    Regime(
        name="low-dimension",
        summary="8 classes in 3 dimensions: a square antiprism",
        quick=QUICK.replace(n_classes=8, feature_dim=3),
        paper=PAPER.replace(n_classes=12, feature_dim=3),
    ),
    Regime(
        name="random-labels",
        summary="an MLP on random inputs, with the same predicted values",
        quick=QUICK.replace(features="mlp", n_classes=6, samples_per_class=10, n_steps=400),
        paper=PAPER.replace(
            features="mlp",
            n_classes=10,
            samples_per_class=50,
            feature_dim=16,
            input_dim=1024,
            hidden_width=2048,
            n_steps=1000,
        ),
    ),
)

EXPERIMENT = Experiment(
    name="neural-collapse",
    summary="class means on a simplex, with class imbalance, several labels, few dimensions, and an MLP",
    regimes=REGIMES,
    quick_time="30 s",
    paper_time="10 min",
    phenomenon=NEURAL_COLLAPSE,
    talk=("neural_collapse.class_means", "What geometry do class means form?"),
)
