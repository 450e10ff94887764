"""Deep linear networks on trees (Saxe, McClelland, Ganguli, arXiv 1312.6120): levels over time and by layer."""

from experiments.core.experiment import Experiment, Regime
from experiments.hierarchy.linear_configuration import LinearConfiguration
from experiments.hierarchy.phenomenon import DEEP_LINEAR_NETWORKS

QUICK = LinearConfiguration()
PAPER = QUICK.replace(depth=5, hidden_width=256, learning_rate=0.01, n_steps=1600)
# With more layers minima are steeper and plateaus longer: N s_max^(2 - 2/N) is 57 for six layers of the quick tree.
DEEP = QUICK.replace(start="aligned", hidden_width=32, initial_strength=0.05, learning_rate=0.01, n_steps=1200)
DEEP_PAPER = PAPER.replace(start="aligned", initial_strength=0.05, learning_rate=0.004, n_steps=3200)


def by_layers(n_layers: int) -> Regime:
    """Return the regime of an aligned start with the given number of layers."""
    return Regime(
        name=f"layers-{n_layers}",
        summary="one layer: all levels at the same time" if n_layers == 1 else f"{n_layers} layers, aligned start",
        quick=DEEP.replace(n_layers=n_layers),
        paper=DEEP_PAPER.replace(n_layers=n_layers),
    )


def derive(dataset, plan):
    """Add the names of the items."""
    from experiments.hierarchy import linear_derived

    return linear_derived.derive(dataset, plan)


REGIMES = (
    Regime(name="small-random-start", summary="small random weights: coupled modes", quick=QUICK, paper=PAPER),
    Regime(
        name="narrow",
        summary="16 hidden units: stronger coupling of modes",
        quick=QUICK.replace(hidden_width=16),
        paper=PAPER.replace(hidden_width=40),
    ),
    Regime(
        name="bottleneck",
        summary="4 hidden units represent the strongest 4 modes",
        quick=QUICK.replace(hidden_width=4),
        paper=PAPER.replace(hidden_width=8),
    ),
    Regime(
        name="balanced",
        summary="balanced start in random directions: the matrix Riccati equation",
        quick=QUICK.replace(start="balanced"),
        paper=PAPER.replace(start="balanced"),
    ),
    Regime(
        name="ternary-tree",
        summary="9 items, a tree with branching factor 3",
        quick=QUICK.replace(branching=3, depth=2),
        paper=PAPER.replace(branching=3, depth=3),
    ),
    Regime(
        name="animals-and-plants",
        summary="8 items and their properties, not from a tree",
        quick=QUICK.replace(items="animals-and-plants"),
        paper=PAPER.replace(items="animals-and-plants"),
    ),
    *(by_layers(n_layers) for n_layers in range(1, 7)),
    Regime(
        name="balanced-3",
        summary="3 layers, balanced start in random directions: only the law of layers",
        quick=DEEP.replace(start="balanced", n_layers=3),
        paper=DEEP_PAPER.replace(start="balanced", n_layers=3),
    ),
    Regime(
        name="random-3",
        summary="3 layers, random start: the law of layers up to imbalance",
        quick=DEEP.replace(start="random", n_layers=3, initial_scale=0.05),
        paper=DEEP_PAPER.replace(start="random", n_layers=3, initial_scale=0.02),
    ),
)

EXPERIMENT = Experiment(
    name="deep-linear-networks",
    summary="coarse levels of a tree are learned first, and weigh more in deeper layers",
    regimes=REGIMES,
    quick_time="30 s",
    paper_time="4 min (1 seed)",
    phenomenon=DEEP_LINEAR_NETWORKS,
    seeds={"quick": 2, "paper": 8},
    derive=derive,
    figures=("hierarchy.layers", "hierarchy.mode_errors"),
    talk=("hierarchy.modes", "In what order is a tree learned?"),
)
