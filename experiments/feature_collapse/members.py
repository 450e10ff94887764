"""The types of a sweep on sentences: its specification, its members, its cells."""

from experiments.core.experiment import Cell
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.training_spec import WordSpec
from simlab.losses.classification import Hyperparameters
from simlab.sweeps.members import Member

WordMember = Member[WordSpec, Hyperparameters]
WordCell = Cell[WordConfiguration, WordSpec, Hyperparameters]
