"""Variables that the figure of the contamination ratio needs: varied fields, r* of each cell, and curves between."""

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.feature_contamination.configuration import ContaminationConfiguration
from experiments.feature_contamination.reference import make_features

N_LINE = 81
# The field that each row of the figure varies, and the spacing of its curve.
ROWS = {"core_features": np.geomspace, "leaky_slope": np.linspace, "background_mean": np.linspace}
CELL_VARIABLES = {
    **{name: Variable((), f"{name.replace('_', ' ')} of the cell") for name in ROWS},
    "limit_ratio": Variable((), "r*, before margins matter"),
    "one_line": Variable((), "one-line law; NaN where it does not apply"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add the three fields, r* and the one-line law of each cell, and both laws along each field."""
    rows = [_describe(cell.configuration) for cell in plan.cells]
    dataset = attach_cells(dataset, plan, rows, CELL_VARIABLES)
    base = min((cell.configuration for cell in plan.cells), key=_distance_from_plain)
    for name, spread in ROWS.items():
        values = [float(getattr(cell.configuration, name)) for cell in plan.cells]
        places = spread(min(values), max(values), N_LINE)
        if name == "core_features":
            places = np.unique(np.round(places))
        lines = [_describe(base.replace(**{name: type(getattr(base, name))(place)})) for place in places]
        dataset = dataset.assign({
            f"{name}_line": (f"{name}_place", [line["limit_ratio"] for line in lines], _about("r*")),
            f"{name}_one_line": (f"{name}_place", [line["one_line"] for line in lines], _about("one-line law")),
        }).assign_coords({f"{name}_place": places})  # fmt: skip
    return dataset


def _describe(configuration: ContaminationConfiguration) -> dict[str, float]:
    from theory import feature_contamination as contamination

    features, slope = make_features(configuration), configuration.effective_slope
    return {
        **{name: float(getattr(configuration, name)) for name in ROWS},
        "limit_ratio": contamination.contamination_ratio(features, slope),
        "one_line": contamination.one_line_law(features, slope),
    }


def _distance_from_plain(configuration: ContaminationConfiguration) -> tuple:
    """Return a sorting key that is zero for a ReLU, equal means and 32 features."""
    mean_gap = abs(configuration.background_mean - configuration.core_mean)
    return configuration.leaky_slope, mean_gap, abs(configuration.core_features - 32)


def _about(name: str) -> dict[str, str]:
    return {"long_name": name, "units": "1"}
