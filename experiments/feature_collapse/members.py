"""The types of members and cells in a sweep on sentences."""

from experiments.core.experiment import Cell
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.training_spec import WordSpec
from simlab.losses.classification import Hyperparameters
from simlab.sweeps.members import Member

WordMember = Member[WordSpec, Hyperparameters]
WordCell = Cell[WordConfiguration, WordSpec, Hyperparameters]
