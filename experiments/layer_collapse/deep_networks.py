"""Deeper networks on the same sentences: the collapse of each layer, compared with the theory of two layers."""

from experiments.core.experiment import Experiment, Regime
from experiments.layer_collapse.configuration import LayerConfiguration
from experiments.layer_collapse.phenomenon import LAYER_COLLAPSE

# Each step uses all sentences, so there is no gradient noise. Members with and without weight decay share one program.
QUICK = LayerConfiguration(n_records=20)
PAPER = LayerConfiguration(
    n_words=18,
    sentence_length=3,
    depth=3,
    embedding_dim=16,
    hidden_width=128,
    n_heads=4,
    source="fresh",
    batch_size=128,
    learning_rate=1e-3,
    n_steps=20_000,
    n_records=50,
).replace(weight_decay=1e-3)
FREE = {"embedding_weight_decay": 0.0, "classifier_weight_decay": 0.0}
NETWORKS = ["two-layer", "mlp", "transformer-pre", "transformer-post", "mixer"]
AXES = {"network": NETWORKS, "word_frequency": ["uniform", "zipf"]}

REGIMES = (
    Regime(name="weight-decay", summary="all weights penalised", quick=QUICK, paper=PAPER),
    Regime(name="no-weight-decay", summary="no penalty", quick=QUICK.replace(**FREE), paper=PAPER.replace(**FREE)),
)

EXPERIMENT = Experiment(
    name="deep-networks",
    summary="an MLP, transformers and a mixer on the same sentences: collapse layer by layer",
    regimes=REGIMES,
    quick_time="90 s",
    paper_time="10 min (1 seed)",
    phenomenon=LAYER_COLLAPSE,
    vary={"quick": AXES, "paper": AXES},
    seeds={"quick": 3, "paper": 3},
    figures=("layer_collapse.deep_networks",),
    talk=("layer_collapse.deep_networks", "Where does the theory of two layers fail?"),
)
