"""The gap before training: random towers of several depths on isotropic inputs, with the prediction.

Networks are built and measured one by one, as the trainer would compile one program for each depth.
"""

from collections.abc import Iterable

import numpy as np
import xarray

from simlab.metrics.modalities import modality_gap
from simlab.networks.specs.modalities import TwoTowers
from simlab.tasks.paired.modality_pairs import ModalityPairs
from simlab.tasks.pairs import ViewPair
from theory import modality_gap as theory

DEPTHS = (0, 1, 2, 4, 8)
DEEPEST = 10
# A single gap fluctuates with the cosines of the inputs, the finite widths, and the overlap of the two readouts.
TASK = ModalityPairs(n_pairs=64, latent_dim=1024, image_dim=1024, text_dim=1536)
HIDDEN_WIDTH, OUTPUT_DIM = 1024, 2048


def measure_gap(depth: int, seed: int) -> float:
    """Return the gap of two random towers of a given depth; the seed determines weights and inputs."""
    import jax
    import jax.numpy as jnp
    from flax import nnx

    from simlab.losses.symmetric_contrastive import NO_CLIP, Hyperparameters
    from simlab.runtime.random_keys import random_key

    towers = TwoTowers(hidden_width=HIDDEN_WIDTH, depth=depth, output_dim=OUTPUT_DIM)
    hyper = Hyperparameters(1.0, 0.0, 1.0, NO_CLIP, 0.0, 0.0)
    data = TASK.sample(seed)
    with jax.default_matmul_precision("highest"):
        network = towers.build(TASK, hyper, dtype=jnp.float32, rngs=nnx.Rngs(params=random_key(seed)))
        inputs = ViewPair(jnp.asarray(data.images, jnp.float32), jnp.asarray(data.texts, jnp.float32))
        images, texts = network.embed_pairs(inputs)
    return modality_gap(*(np.asarray(side, np.float64) for side in (images, texts)))


def measure_depths(dataset: xarray.Dataset, seeds: Iterable[int]) -> xarray.Dataset:
    """Return the dataset with the gap of random towers by depth and seed, and the predicted gap by depth."""
    gaps = [[measure_gap(depth, seed) for seed in seeds] for depth in DEPTHS]
    line = np.arange(DEEPEST + 1)
    predicted = [theory.initial_gap(TASK.n_pairs, int(depth), TASK.latent_dim) for depth in line]
    about = f"gap of random towers, width {HIDDEN_WIDTH}, {TASK.n_pairs} pairs"
    return dataset.assign_coords(tower_depth=("tower", list(DEPTHS)), line_depth=("depths", line)).assign(
        tower_gap=(("tower", "seed"), np.array(gaps), {"long_name": about, "units": "1"}),
        tower_gap_predicted=("depths", np.array(predicted), {"long_name": f"predicted {about}", "units": "1"}),
    )
