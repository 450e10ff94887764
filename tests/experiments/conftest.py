"""The tiny encoder of these tests, by the name of its module."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny():
    """The module that writes a tiny random BERT."""
    path = Path(__file__).parents[1] / "simlab/networks/encoders/tiny_bert.py"
    spec = importlib.util.spec_from_file_location("tiny_bert", path)
    module = sys.modules["tiny_bert"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
