"""Variables by cell that figures of contextual embeddings need: the kind of each word, names of kinds and layers."""

import numpy as np
import xarray

from experiments.contextual_embeddings.reference import word_statistics
from experiments.contextual_embeddings.training_spec import make_training_spec
from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from theory.contextual_embeddings import simplex_gram

CELL_VARIABLES = {
    "word_kind": Variable(("word",), "index of the kind of each word in kind_names"),
    "word_count": Variable(("word",), "occurrences of each word in the evaluation sentences"),
    "kind_names": Variable((), "kinds of words, separated by commas"),
    "layer_names": Variable((), "layers, separated by commas"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Return the dataset with the variables of ``CELL_VARIABLES`` for each cell."""
    rows = []
    for cell in plan.cells:
        spec = make_training_spec(cell.configuration)
        task = spec.task
        counts = word_statistics(task, simplex_gram(task.n_classes)).counts
        rows.append(
            {
                "word_kind": task.word_kinds()[counts > 0].astype(float),
                "word_count": counts[counts > 0].astype(float),
                "kind_names": np.array(",".join(task.kinds)),
                "layer_names": np.array(",".join(spec.network.layers)),
            }
        )
    return attach_cells(dataset, plan, rows, CELL_VARIABLES)
