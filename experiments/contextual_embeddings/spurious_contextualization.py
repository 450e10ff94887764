"""Which words lose context under contrastive training, and which gain it? First hidden words are learned, then pairs.

Hidden words make the vector of a word depend little on its sentence. Then C_t decides: a word that is exclusive to a
class becomes more like itself, function words less, and so do content words that many classes share.
"""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.phenomenon import CONTEXTUAL_EMBEDDINGS, derive
from experiments.core.experiment import Experiment, Regime

START = LanguageConfiguration(masked_steps=800, n_steps=4000, shared="3:3,2:8")

EXPERIMENT = Experiment(
    name="spurious-contextualization",
    summary="after learning hidden words, contrastive training changes words by how exclusive to a class they are",
    regimes=(
        Regime(
            name="exclusive-content",
            summary="most content words belong to one class: content gains, function words lose",
            quick=START.replace(exclusive=6, shared="2:2"),
        ),
        Regime(
            name="shared-content",
            summary="most content words are shared: they lose as well",
            quick=START.replace(exclusive=2, shared="3:3,3:8"),
        ),
    ),
    quick_time="60 s",
    paper_time="4 min",
    phenomenon=CONTEXTUAL_EMBEDDINGS,
    derive=derive,
    seeds={"quick": 3, "paper": 5},
    figures=("contextual_embeddings.spurious_contextualization",),
)
