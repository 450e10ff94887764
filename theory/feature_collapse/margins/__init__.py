"""The margins of a collapsed network: one scalar equation for Types I and II, one for each word for Type III.

`type_one`, `type_two`, `type_three` and `type_three_sampled` (fewer classes than latents) return the network;
`common_margin`, `margin_balance` and `corrupted_margin` solve for one margin, `margin_profile` for one per word;
`mellin_barnes` and `corrupted_mixture` evaluate expectations over random words.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.feature_collapse.margins.corrupted_mixture import CorruptedExpectation, expected_corrupted_mixture
    from theory.feature_collapse.margins.mellin_barnes import Expectation, expected_log_mixture
    from theory.feature_collapse.margins.type_one import solve_type_one
    from theory.feature_collapse.margins.type_three import solve_type_three
    from theory.feature_collapse.margins.type_three_sampled import solve_type_three_sampled
    from theory.feature_collapse.margins.type_two import solve_type_two

__all__ = [
    "CorruptedExpectation",
    "Expectation",
    "expected_corrupted_mixture",
    "expected_log_mixture",
    "solve_type_one",
    "solve_type_three",
    "solve_type_three_sampled",
    "solve_type_two",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "corrupted_mixture": ("CorruptedExpectation", "expected_corrupted_mixture"),
        "mellin_barnes": ("Expectation", "expected_log_mixture"),
        "type_one": ("solve_type_one",),
        "type_three": ("solve_type_three",),
        "type_three_sampled": ("solve_type_three_sampled",),
        "type_two": ("solve_type_two",),
    },
)
