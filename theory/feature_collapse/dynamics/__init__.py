"""The dynamics of feature collapse: from the initial weights to the collapsed network, and its norms at late times.

`escape` and `modes`: the plateau near the saddle at zero. `flow`: the norms of a collapsed network under gradient
descent. `no_weight_decay`: the late law without weight decay.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.feature_collapse.dynamics.escape import (
        LinearRegime,
        Plateau,
        expected_linear_regime,
        linear_regime,
        plateau,
    )
    from theory.feature_collapse.dynamics.flow import (
        CollapsedMotion,
        CollapsedNorms,
        collapsed_descent,
        collapsed_flow,
        collapsed_motion,
    )
    from theory.feature_collapse.dynamics.modes import EscapeModes, escape_modes, escape_rate, growing_pair, pair_rates
    from theory.feature_collapse.dynamics.no_weight_decay import LateNorms, flow_norms, path_norms

__all__ = [
    "CollapsedMotion",
    "CollapsedNorms",
    "EscapeModes",
    "LateNorms",
    "LinearRegime",
    "Plateau",
    "collapsed_descent",
    "collapsed_flow",
    "collapsed_motion",
    "escape_modes",
    "escape_rate",
    "expected_linear_regime",
    "flow_norms",
    "growing_pair",
    "linear_regime",
    "pair_rates",
    "path_norms",
    "plateau",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "escape": ("LinearRegime", "Plateau", "expected_linear_regime", "linear_regime", "plateau"),
        "flow": ("CollapsedMotion", "CollapsedNorms", "collapsed_descent", "collapsed_flow", "collapsed_motion"),
        "modes": ("EscapeModes", "escape_modes", "escape_rate", "growing_pair", "pair_rates"),
        "no_weight_decay": ("LateNorms", "flow_norms", "path_norms"),
    },
)
