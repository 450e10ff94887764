"""Which pooling determines the tokens? Mean pooling with dot products; not mean pooling with cosines, nor CLS.

Max pooling does so where LayerNorm centres the tokens, but not where tokens only have equal length. With a free vector
for each word occurrence only the loss acts. A transformer shares its weights among tokens, so training may also move
tokens that the loss does not constrain.
"""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.phenomenon import CONTEXTUAL_EMBEDDINGS, derive
from experiments.core.experiment import Experiment, Regime

FREE = LanguageConfiguration(
    network="free", n_steps=1500, learning_rate=0.02, initial_scale=1.0, decoupled_weight_decay=0.0
)
ENCODER = LanguageConfiguration(depth=1, n_steps=800, n_evaluation=240)
LONG = {"n_steps": 4000, "n_evaluation": 480}

EXPERIMENT = Experiment(
    name="pooling",
    summary="mean pooling with dot products determines every token; cosines and CLS pooling leave tokens free",
    regimes=(
        Regime(name="free-mean-dot", summary="free tokens, mean pooling, dot product", quick=FREE),
        Regime(
            name="free-mean-cosine",
            summary="free tokens, mean pooling, cosine",
            quick=FREE.replace(similarity="cosine"),
        ),
        Regime(name="free-cls", summary="free tokens, CLS pooling", quick=FREE.replace(pooling="cls")),
        Regime(
            name="free-max",
            summary="free tokens, max pooling, cosine",
            quick=FREE.replace(pooling="max", similarity="cosine"),
        ),
        Regime(
            name="free-max-rms",
            summary="the same without centring of tokens",
            quick=FREE.replace(pooling="max", similarity="cosine", free_norm="rms"),
        ),
        Regime(
            name="encoder-mean-dot",
            summary="transformer, mean pooling, dot product",
            quick=ENCODER,
            paper=ENCODER.replace(**LONG),
        ),
        Regime(
            name="encoder-mean-cosine",
            summary="transformer, mean pooling, cosine",
            quick=ENCODER.replace(similarity="cosine"),
            paper=ENCODER.replace(similarity="cosine", **LONG),
        ),
        Regime(
            name="encoder-cls",
            summary="transformer, CLS pooling",
            quick=ENCODER.replace(pooling="cls"),
            paper=ENCODER.replace(pooling="cls", **LONG),
        ),
        Regime(
            name="encoder-max",
            summary="transformer, max pooling, cosine",
            quick=ENCODER.replace(pooling="max", similarity="cosine"),
            paper=ENCODER.replace(pooling="max", similarity="cosine", **LONG),
        ),
    ),
    quick_time="90 s",
    phenomenon=CONTEXTUAL_EMBEDDINGS,
    derive=derive,
    seeds={"quick": 3, "paper": 5},
    figures=("contextual_embeddings.pooling",),
    talk=("contextual_embeddings.pooling", "Which pooling determines the tokens?"),
)
