"""Effects of a finite sample: sentences needed for collapse, the cost of unseen words, and the start of training.

`sampling_noise`: the least sample size for which collapse is the minimiser. `known_words`: the accuracy that the seen
words allow. `early_descent`: gradient descent on a sample while all weights are small. `word_reliability`: words that
are replaced with unequal probabilities.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.feature_collapse.samples.early_descent import LinearDescent, linear_descent
    from theory.feature_collapse.samples.known_words import known_words_accuracy, missing_words, spread_of_missing_words
    from theory.feature_collapse.samples.sampling_noise import CriticalSample, critical_sample, draw_sample, noise_ratio
    from theory.feature_collapse.samples.word_reliability import WordReliability, posterior

__all__ = [
    "CriticalSample",
    "LinearDescent",
    "WordReliability",
    "critical_sample",
    "draw_sample",
    "known_words_accuracy",
    "linear_descent",
    "missing_words",
    "noise_ratio",
    "posterior",
    "spread_of_missing_words",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "early_descent": ("LinearDescent", "linear_descent"),
        "known_words": ("known_words_accuracy", "missing_words", "spread_of_missing_words"),
        "sampling_noise": ("CriticalSample", "critical_sample", "draw_sample", "noise_ratio"),
        "word_reliability": ("WordReliability", "posterior"),
    },
)
