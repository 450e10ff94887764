"""Norm of the mean and variance of contextual embeddings (Yamagiwa, Shimodaira, arXiv 2409.11253).

For the occurrences x of a token in many contexts, M = |mean x|^2, V = mean |x - mean|^2 and Q = mean |x|^2. Then
``Q = M + V``, and any grouping of the occurrences splits ``V = V_within + V_between``. How strong is the published
trade-off of M and V, and how much variance can two groupings explain together? Both answers are theorems for any data.

* `trade_off`: slope and correlation of V and M over tokens from two numbers, and the value of Q that LayerNorm fixes.
* `similarities`: self-similarity, intra-sentence similarity and anisotropy as functions of M, for fixed Q.
* `initial_shares`: `predict`, M/Q and V_within/V by layer of an untrained encoder.
* `shared_variance`: tokens and sentences together explain at most ``1 + rho`` of the variance.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.norm_and_variance.initial_shares import InitialShares, predict
    from theory.norm_and_variance.shared_variance import explained_limit, maximal_correlation
    from theory.norm_and_variance.similarities import between_share, mean_cosine, mean_similarity
    from theory.norm_and_variance.trade_off import TradeOffPrediction, pinned_square, predict_trade_off

__all__ = [
    "InitialShares",
    "TradeOffPrediction",
    "between_share",
    "explained_limit",
    "maximal_correlation",
    "mean_cosine",
    "mean_similarity",
    "pinned_square",
    "predict",
    "predict_trade_off",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "initial_shares": ("InitialShares", "predict"),
        "shared_variance": ("explained_limit", "maximal_correlation"),
        "similarities": ("between_share", "mean_cosine", "mean_similarity"),
        "trade_off": ("TradeOffPrediction", "pinned_square", "predict_trade_off"),
    },
)
