"""Contextual embeddings: the token embeddings that contrastive learning of sentences converges to, and how fast.

Xiao, Long and Al Moubayed (2023) measured isotropy, contextualisation and their change under contrastive training. Here
these quantities are predicted for a language of known structure. Under InfoNCE with mean pooling and dot products every
token converges to the class vector of its sentence, so that the statistics of a word are those of its posterior over
classes.

* `language`, `posteriors`: the law of a language, and its statistics after token collapse. *Self-similarity* of a word:
  mean cosine of two of its occurrences; *intra-sentence similarity*: mean cosine of a token and its sentence's mean;
  *anisotropy*: mean cosine of different words in different sentences; *adjusted*: minus the anisotropy.
* `pair_counts`: the same for a finite sample, without sampling error.
* `contrastive_minimum`: the least loss for balanced classes, any temperature and batch size.
* `class_gram`: the class vectors for unequal priors, a convex program with its certificate.
* `mean_cosine`: gradient flow of the mean cosine, the time to isotropy and its best temperature.
* `initialisation`, `activation_kernels`: the same quantities before training, in wide random encoders.
* `prediction`: all predictions after training, for one language.

Proofs: `theory/contextual_embeddings.md`. Q = mean |x|^2 of tokens, M = |mean x|^2, V = Q - M.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.contextual_embeddings.activation_kernels import ACTIVATIONS, activation_kernel
    from theory.contextual_embeddings.class_gram import (
        CERTIFIED,
        ClassGram,
        certify,
        class_loss,
        floor_anisotropy,
        floor_temperature,
        simplex_anisotropy,
        solve_class_gram,
    )
    from theory.contextual_embeddings.contrastive_minimum import check_batch_size, expected_loss, minimum_loss
    from theory.contextual_embeddings.initialisation import (
        Encoder,
        LayerStatistics,
        ThreeScalars,
        kernels,
        layer_statistics,
        three_scalars,
    )
    from theory.contextual_embeddings.language import SentenceLanguage, check_priors, one_large_class
    from theory.contextual_embeddings.mean_cosine import (
        angle_of_cosine,
        angle_velocity,
        best_temperature,
        cosine_curve,
        cosine_of_angle,
        time_to_cosine,
    )
    from theory.contextual_embeddings.pair_counts import SampleStatistics, sample_statistics
    from theory.contextual_embeddings.posteriors import (
        CollapsedStatistics,
        LanguageLaw,
        collapsed_statistics,
        collision_shares,
        cramers_v2,
        maximal_correlation,
        self_similarity_change,
        simplex_gram,
    )
    from theory.contextual_embeddings.prediction import BASES, Prediction, predict, predict_law

_NAMES = {
    "activation_kernels": ("ACTIVATIONS", "activation_kernel"),
    "class_gram": (
        "CERTIFIED",
        "ClassGram",
        "certify",
        "class_loss",
        "floor_anisotropy",
        "floor_temperature",
        "simplex_anisotropy",
        "solve_class_gram",
    ),
    "contrastive_minimum": ("check_batch_size", "expected_loss", "minimum_loss"),
    "initialisation": ("Encoder", "LayerStatistics", "ThreeScalars", "kernels", "layer_statistics", "three_scalars"),
    "language": ("SentenceLanguage", "check_priors", "one_large_class"),
    "mean_cosine": (
        "angle_of_cosine",
        "angle_velocity",
        "best_temperature",
        "cosine_curve",
        "cosine_of_angle",
        "time_to_cosine",
    ),
    "pair_counts": ("SampleStatistics", "sample_statistics"),
    "posteriors": (
        "CollapsedStatistics",
        "LanguageLaw",
        "collapsed_statistics",
        "collision_shares",
        "cramers_v2",
        "maximal_correlation",
        "self_similarity_change",
        "simplex_gram",
    ),
    "prediction": ("BASES", "Prediction", "predict", "predict_law"),
}
__all__ = [
    "ACTIVATIONS",
    "BASES",
    "CERTIFIED",
    "ClassGram",
    "CollapsedStatistics",
    "Encoder",
    "LanguageLaw",
    "LayerStatistics",
    "Prediction",
    "SampleStatistics",
    "SentenceLanguage",
    "ThreeScalars",
    "activation_kernel",
    "angle_of_cosine",
    "angle_velocity",
    "best_temperature",
    "certify",
    "check_batch_size",
    "check_priors",
    "class_loss",
    "collapsed_statistics",
    "collision_shares",
    "cosine_curve",
    "cosine_of_angle",
    "cramers_v2",
    "expected_loss",
    "floor_anisotropy",
    "floor_temperature",
    "kernels",
    "layer_statistics",
    "maximal_correlation",
    "minimum_loss",
    "one_large_class",
    "predict",
    "predict_law",
    "sample_statistics",
    "self_similarity_change",
    "simplex_anisotropy",
    "simplex_gram",
    "solve_class_gram",
    "three_scalars",
    "time_to_cosine",
]

__getattr__, __dir__ = hand_on(__name__, _NAMES)
