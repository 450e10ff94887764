"""Folders of the user's, and packages of other distributions, that have the names of simlab's packages."""

import os
import shutil
import subprocess
import sys
import tomllib
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest

import simlab
from simlab.packages import PACKAGES, check_files, own_package

ROOT = Path(__file__).resolve().parents[2]
USE = (
    "from simlab import experiments\n"
    "from experiments.sweep import run\n"
    "from theory import feature_collapse\n"
    "from figures.drawing import style\n"
    "print(style.__file__)"
)


def python(folder, *words, root=ROOT):
    environment = os.environ | {"PYTHONPATH": str(root)}
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


@pytest.mark.parametrize("module", ["experiments", "experiments.cli"])
def test_a_module_that_is_run_beside_a_package_of_the_users_ends_with_one_line(tmp_path, module):
    (tmp_path / "theory.py").touch()
    done = python(tmp_path, "-m", module, "collapse-point")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("simlab: theory: expected the package that belongs to simlab")
    assert str(tmp_path / "theory.py") in line


@pytest.mark.quick
def test_a_package_that_is_imported_is_not_imported_again():
    import theory

    assert own_package("theory") is theory


def test_the_console_script_and_the_older_path_of_it_lead_to_the_command_line(capsys):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for place in (scripts["simlab"], "experiments.cli:main"):
        module, _, name = place.partition(":")
        assert getattr(import_module(module), name)(["predict", "feature-colapse"]) == 2
        assert "did you mean 'feature-collapse'?" in capsys.readouterr().err


def record(site, distribution, paths):
    """Write the record by which pip knows the files of a distribution."""
    folder = site / f"{distribution}.dist-info"
    folder.mkdir(parents=True)
    digests = {path: urlsafe_b64encode(sha256((site / path).read_bytes()).digest()).decode() for path in paths}
    lines = [f"{path},sha256={digest.rstrip('=')},{(site / path).stat().st_size}" for path, digest in digests.items()]
    (folder / "RECORD").write_text("\n".join([*lines, f"{folder.name}/RECORD,,"]) + "\n")


def install_over(site, paths):
    """Install a distribution with these modules as pip does: over what is there."""
    for path in paths:
        (site / path).write_text("def main(words):\n    return 0\n")
    record(site, "other_package-1.0", paths)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which simlab is installed; a test that changes a file restores it."""
    site = tmp_path_factory.mktemp("site")
    for name in ("simlab", *PACKAGES):
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__", "gallery"))
    modules = [f"{path.relative_to(site)}" for name in ("simlab", *PACKAGES) for path in (site / name).rglob("*.py")]
    record(site, f"simlab-{simlab.__version__}", modules)
    return site


@pytest.fixture(params=[["theory/__init__.py"], ["experiments/__init__.py", "experiments/cli.py"]], ids=len)
def replaced(request, installed):
    """The folder once another distribution has replaced modules of simlab's, and the first of these."""
    contents = {path: (installed / path).read_bytes() for path in request.param}
    install_over(installed, request.param)
    yield installed, installed / request.param[0]
    shutil.rmtree(installed / "other_package-1.0.dist-info")
    for path, content in contents.items():
        (installed / path).write_bytes(content)


def test_a_distribution_that_replaced_a_module_is_named_in_one_line(replaced, tmp_path):
    site, path = replaced
    line = (
        f"{path.parent.name}: expected the module of simlab in {path}, got that of the package other_package, which "
        "was installed over it: use an environment without other_package, or uninstall it and reinstall simlab"
    )
    for words in (("-m", "simlab", "list"), ("-m", "experiments", "collapse-point")):
        done = python(tmp_path, *words, root=site)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"simlab: {line}\n")
    done = python(tmp_path, "-c", "from simlab import experiments", root=site)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ImportError: {line}"
    path.unlink()  # as pip does when it uninstalls the other one
    done = python(tmp_path, "-m", "simlab", "list", root=site)
    gone = f"simlab: {path.parent.name}: expected the module of simlab in {path}, got no file: reinstall simlab\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", gone)


def test_an_installed_copy_runs_also_if_it_was_installed_over_another_distribution(installed, tmp_path):
    record(installed, "earlier_package-2.0", ["theory/__init__.py"])
    done = python(tmp_path, "-m", "simlab", "list", root=installed)
    assert (done.returncode, done.stderr) == (0, "")
    assert "neural-collapse" in done.stdout
    shutil.rmtree(installed / "earlier_package-2.0.dist-info")


def test_a_module_that_the_user_has_changed_is_accepted(tmp_path):
    (tmp_path / "theory").mkdir()
    (tmp_path / "theory" / "frames.py").touch()
    record(tmp_path, f"simlab-{simlab.__version__}", ["theory/frames.py"])
    (tmp_path / "theory" / "frames.py").write_text("print('here')")
    check_files("theory", tmp_path)
    record(tmp_path, "other_package-1.0", ["theory/frames.py"])
    check_files.cache_clear()
    with pytest.raises(ImportError, match="got that of the package other_package"):
        check_files("theory", tmp_path)
