"""Which words lose context under contrastive training, and which gain it? First hidden words are learned, then pairs.

Hidden words make the vector of a word depend little on its sentence. Then C_t decides: a word that is exclusive to a
class becomes more like itself, function words less, and so do content words that many classes share. A low temperature
makes the classes of one group part sooner; where words end does not depend on it.
"""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.phenomenon import CONTEXTUAL_EMBEDDINGS, derive
from experiments.core.experiment import Experiment, Regime

START = LanguageConfiguration(masked_steps=720, n_steps=2400, temperature=0.2)
LONG = {"masked_steps": 2000, "n_steps": 10000}

EXPERIMENT = Experiment(
    name="spurious-contextualization",
    summary="after learning hidden words, contrastive training changes words by how exclusive to a class they are",
    regimes=(
        Regime(
            name="exclusive-content",
            summary="most content words belong to one class: content gains, function words lose",
            quick=START.replace(exclusive=6, shared="2:2", n_steps=1200),
            paper=START.replace(exclusive=6, shared="2:2", **LONG),
        ),
        Regime(
            name="shared-content",
            summary="half of the content is shared by 3 or 8 classes: it loses as well",
            quick=START.replace(exclusive=4, shared="2:3,2:8"),
            paper=START.replace(exclusive=4, shared="2:3,2:8", **LONG),
        ),
    ),
    quick_time="100 s",
    phenomenon=CONTEXTUAL_EMBEDDINGS,
    derive=derive,
    seeds={"quick": 3, "paper": 5},
    figures=("contextual_embeddings.spurious_contextualization",),
    talk=("contextual_embeddings.spurious_contextualization", "Which words lose their context?"),
)
