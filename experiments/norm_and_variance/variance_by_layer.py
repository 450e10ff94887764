"""How norm and variance are shared by layer: infinite width, untrained networks of width 256, a trained one."""

from experiments.core.experiment import Experiment, Regime
from experiments.norm_and_variance.regimes import LARGE, NORM_AND_VARIANCE, SMALL, contrastive

WIDE = SMALL.replace(embedding_dim=256, depth=6, n_evaluation=120)
WIDER = LARGE.replace(embedding_dim=512, depth=6, n_evaluation=192)

EXPERIMENT = Experiment(
    name="variance-by-layer",
    summary="deeper layers leave the origin and vary within words: an untrained network does, as a kernel predicts",
    regimes=(
        Regime("post-norm", "LayerNorm behind each branch, GELU", WIDE, WIDER),
        Regime(
            "post-norm-relu", "the same with ReLU", WIDE.replace(activation="relu"), WIDER.replace(activation="relu")
        ),
        Regime("pre-norm", "LayerNorm before each branch, GELU", WIDE.replace(norm="pre"), WIDER.replace(norm="pre")),
        Regime(
            "trained",
            "post-norm, d = 48, trained on pairs of sentences",
            contrastive(SMALL.replace(depth=4), 300),
            contrastive(LARGE.replace(depth=6), 4000),
        ),
    ),
    quick_time="90 s",
    paper_time="15 min",
    phenomenon=NORM_AND_VARIANCE,
    seeds={"quick": 4, "paper": 4},
    figures=("norm_and_variance.shares",),
)
