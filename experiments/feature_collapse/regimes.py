"""The four regimes of *Feature Collapse* (arXiv 2305.16162), as separate experiments and as one.

Uniform words, few sentences: the words of a concept share one vector (Type I; Figure 3). Zipf words, many sentences:
one direction per concept, with larger norms for frequent words (Type III; Figure 4a). Zipf words, few sentences: rare
words are memorised and do not collapse (Figure 4b); with LayerNorm they collapse to points of equal norm (Type II;
Figure 4c).
"""

from dataclasses import asdict

from experiments.core.experiment import Experiment, Regime
from experiments.core.summaries import summarise_regime
from experiments.feature_collapse.configuration import PAPER, QUICK
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

UNIFORM = Regime(
    name="uniform-small-sample",
    summary="{word_frequency} words, {per_class} sentences per class: Type I collapse (Fig. 3)",
    quick=QUICK.replace(word_frequency="uniform", per_class=5, epochs=300),
    paper=PAPER.replace(word_frequency="uniform", per_class=5, epochs=1200),
)
LARGE_SAMPLE = Regime(
    name="zipf-large-sample",
    summary="{word_frequency} words, {per_class} sentences per class: Type III collapse (Fig. 4a)",
    quick=QUICK.replace(word_frequency="zipf", per_class=200, epochs=8),
    paper=PAPER.replace(word_frequency="zipf", per_class=500, epochs=10),
)
SMALL_SAMPLE = Regime(
    name="zipf-small-sample",
    summary="{word_frequency} words, {per_class} sentences per class: no collapse, poor generalisation (Fig. 4b)",
    quick=QUICK.replace(word_frequency="zipf", per_class=5, epochs=300),
    paper=PAPER.replace(word_frequency="zipf", per_class=5, epochs=3000),
)
LAYER_NORM = Regime(
    name="zipf-layer-norm",
    summary="{word_frequency} words, {per_class} sentences per class, LayerNorm: Type II collapse (Fig. 4c)",
    quick=QUICK.replace(word_frequency="zipf", layer_norm=True, per_class=5, embedding_weight_decay=0.0, epochs=300),
    paper=PAPER.replace(word_frequency="zipf", layer_norm=True, per_class=5, embedding_weight_decay=0.0, epochs=500),
)
REGIMES = (UNIFORM, LARGE_SAMPLE, SMALL_SAMPLE, LAYER_NORM)


def _make_single(regime: Regime, paper_time: str) -> Experiment:
    """Return the experiment of one regime, with the same name."""
    return Experiment(
        name=regime.name,
        summary=summarise_regime(regime, asdict(regime.configuration("paper"))),
        regimes=(regime,),
        quick_time="15 s",
        paper_time=paper_time,
        phenomenon=FEATURE_COLLAPSE,
    )


UNIFORM_SMALL_SAMPLE = _make_single(UNIFORM, paper_time="7 min")
ZIPF_LARGE_SAMPLE = _make_single(LARGE_SAMPLE, paper_time="7 min")
ZIPF_SMALL_SAMPLE = _make_single(SMALL_SAMPLE, paper_time="16 min")
ZIPF_LAYER_NORM = _make_single(LAYER_NORM, paper_time="4 min")

EXPERIMENT = Experiment(
    name="feature-collapse",
    summary="the four regimes of the paper: Types I, II and III, and no collapse",
    talk=("feature_collapse.overview", "Do the words of a concept collapse?"),
    regimes=REGIMES,
    quick_time="1 min",
    paper_time="35 min",
    phenomenon=FEATURE_COLLAPSE,
)
