"""The cost of superposition and feature averaging: how far a small perturbation moves an output or flips a label."""

from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.superposition.gain_configuration import GainConfiguration
from experiments.superposition.gain_reference import check_theory, predict
from experiments.superposition.gain_training_spec import make_training_spec

FEATURES = GainConfiguration()
CLUSTERS = GainConfiguration(
    optimizer="sgd", schedule="constant", learning_rate=3.0, initial_scale=1e-3, batch_size=256, n_steps=2000
)
# A pentagon is predicted below 0.2, two pairs above.
PROBABILITIES = (0.5, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02)
N_CLUSTERS = (4, 8, 16, 32)


def _load_comparison():
    from experiments.superposition.gain_comparison import COMPARISON

    return COMPARISON


def derive(dataset, plan):
    """Add p and k of each cell, and the predicted curves between cells."""
    from experiments.superposition import adversarial_gain_derived

    return adversarial_gain_derived.derive(dataset, plan)


ADVERSARIAL_GAIN = Phenomenon(
    name="adversarial-gain",
    part_of="superposition",
    configuration=GainConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
    figures=("superposition.adversarial_gain",),
)

EXPERIMENT = Experiment(
    name="adversarial-gain",
    summary="adversarial gain of an output by p, and the perturbation that flips a label of k averaged clusters",
    regimes=(
        *(
            Regime(
                name=f"p-{p:g}",
                summary=f"5 features in 2 dimensions, p = {p:g}",
                quick=FEATURES.replace(active_probability=p),
                paper=FEATURES.replace(active_probability=p, n_steps=4000, batch_size=256),
            )
            for p in PROBABILITIES
        ),
        *(
            Regime(
                name=f"{k}-clusters",
                summary=f"a classifier of {k} orthogonal clusters",
                quick=CLUSTERS.replace(n_clusters=k),
                paper=CLUSTERS.replace(n_clusters=k, batch_size=1024, n_steps=4000),
            )
            for k in N_CLUSTERS
        ),
    ),
    quick_time="30 s",
    paper_time="20 s (1 seed)",
    phenomenon=ADVERSARIAL_GAIN,
    seeds={"quick": 8, "paper": 16},
    derive=derive,
    talk=("superposition.adversarial_gain", "What does sharing dimensions cost?"),
)
