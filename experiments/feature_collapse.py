"""The four regimes of *Feature Collapse* (arXiv 2305.16162) side by side."""

import sys

from experiments import uniform_small_sample, zipf_large_sample, zipf_layer_norm, zipf_small_sample
from experiments.cli import main
from experiments.experiment import Experiment
from experiments.words import FEATURE_COLLAPSE

EXPERIMENT = Experiment(
    name="feature-collapse",
    summary="the four regimes together",
    regimes=(
        uniform_small_sample.REGIME,
        zipf_large_sample.REGIME,
        zipf_small_sample.REGIME,
        zipf_layer_norm.REGIME,
    ),
    quick_time="1 min",
    paper_time="35 min",
    phenomenon=FEATURE_COLLAPSE,
)

if __name__ == "__main__":
    sys.exit(main(["run", EXPERIMENT.name, *sys.argv[1:]]))
