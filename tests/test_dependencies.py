"""What the packages import at run time is declared as a dependency, and what only tests need is not."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import simlab

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
PACKAGES = ("simlab", "theory", "experiments", "figures")
# Imports of extras and of the build, where they may stand.
ELSEWHERE = {
    "torch": "experiments/benchmarks",
    "safetensors": "simlab/networks/encoders/bert_files.py",
    "huggingface_hub": "experiments/norm_and_variance",
    "setuptools": "simlab/storage/wheel_revision.py",
}


def names_of(requirements):
    """The names of requirements such as ``jax[cuda12]>=0.8``, as they are imported."""
    return {re.match(r"[A-Za-z0-9_.-]+", text).group().replace("-", "_") for text in requirements}


def imported_at_run_time(node):
    """Yield the top-level packages that are imported below a node, those for type checkers left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module.partition(".")[0]
        yield from imported_at_run_time(child)


def undeclared(path, text, declared):
    """The packages that a module imports and that are neither Python's, ours, nor declared."""
    found = set(imported_at_run_time(ast.parse(text))) - set(sys.stdlib_module_names) - {*PACKAGES} - declared
    return {name for name in found if not path.startswith(ELSEWHERE.get(name, "nowhere"))}


def test_what_is_imported_is_declared():
    declared = names_of(PROJECT["dependencies"])
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert paths
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        assert undeclared(name, path.read_text(encoding="utf8"), declared) == set(), name


def test_tools_of_the_tests_are_no_dependencies_of_a_user():
    tools = {"pytest", "pytest_xdist", "hypothesis", "mpmath", "pyright", "ruff"}
    assert tools <= names_of(PROJECT["optional-dependencies"]["dev"])
    assert not tools & names_of(PROJECT["dependencies"])


@pytest.mark.parametrize("text", ["import pytest", "def f():\n    from pytest import approx", "import torch"])
def test_an_undeclared_import_is_seen(text):
    assert undeclared("simlab/sizes.py", text, names_of(PROJECT["dependencies"]))


@pytest.mark.parametrize(
    "text", ["import numpy as np", "if TYPE_CHECKING:\n    from jaxtyping import Float", "import re"]
)
def test_a_declared_one_is_not(text):
    assert not undeclared("simlab/sizes.py", text, names_of(PROJECT["dependencies"]))


def test_the_citation_names_this_version():
    (line,) = [line for line in (ROOT / "CITATION.cff").read_text().splitlines() if line.startswith("version:")]
    assert line == f"version: {simlab.__version__}"
