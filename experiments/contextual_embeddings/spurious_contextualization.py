"""Which words become more contextual under contrastive training, and which less? Masked words first, then pairs.

After masked-word pre-training the vector of a word depends little on its sentence. Contrastive training then moves its
self-similarity towards C_t: up for words exclusive to a class, down for function words and for content words that many
classes share. A low temperature separates the classes of one group sooner but does not change the end point.
"""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.phenomenon import CONTEXTUAL_EMBEDDINGS, derive
from experiments.core.experiment import Experiment, Regime

START = LanguageConfiguration(masked_steps=720, n_steps=2400, temperature=0.2)
LONG = {"masked_steps": 2000, "n_steps": 10000}

EXPERIMENT = Experiment(
    name="spurious-contextualization",
    summary="after masked pre-training, contrastive training changes a word by how class-exclusive it is",
    regimes=(
        Regime(
            name="exclusive-content",
            summary="most content words belong to one class: their self-similarity rises, that of function words falls",
            quick=START.replace(exclusive=6, shared="2:2", n_steps=1200),
            paper=START.replace(exclusive=6, shared="2:2", **LONG),
        ),
        Regime(
            name="shared-content",
            summary="half of the content words are shared by 3 or 8 classes: their self-similarity falls too",
            quick=START.replace(exclusive=4, shared="2:3,2:8"),
            paper=START.replace(exclusive=4, shared="2:3,2:8", **LONG),
        ),
    ),
    quick_time="100 s",
    phenomenon=CONTEXTUAL_EMBEDDINGS,
    derive=derive,
    seeds={"quick": 3, "paper": 5},
    figures=("contextual_embeddings.spurious_contextualization",),
    talk=("contextual_embeddings.spurious_contextualization", "Which words gain context, which lose it?"),
)
