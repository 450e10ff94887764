"""Folders of the user's that have the names of simlab's packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simlab.packages import PACKAGES, own_package

ROOT = Path(__file__).resolve().parents[2]
USE = (
    "from simlab import experiments\n"
    "from experiments.sweep import run\n"
    "from theory import feature_collapse\n"
    "from figures.drawing import style\n"
    "print(style.__file__)"
)


def python(folder, *words):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_plain_folders_of_these_names_are_passed_over(tmp_path):
    for name in PACKAGES:
        (tmp_path / name).mkdir()
    done = python(tmp_path, "-c", USE)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == ROOT / "figures" / "drawing" / "style.py"


@pytest.mark.parametrize("name", ["theory", "figures"])
def test_a_package_of_the_users_is_named_in_one_line(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    done = python(tmp_path, "-c", USE)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {name}: expected the package that belongs to simlab, in {ROOT}, got ")
    assert str(tmp_path / name / "__init__.py") in last


def test_the_command_runs_beside_packages_of_these_names(tmp_path):
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the package of the user')")
    done = python(tmp_path, "-m", "simlab", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "neural-collapse" in done.stdout


@pytest.mark.quick
def test_a_package_that_is_imported_is_not_imported_again():
    import theory

    assert own_package("theory") is theory
