"""The rooms of the package: imports go downwards only, and faces import nothing until a name is asked for."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import theory

pytestmark = pytest.mark.quick

PACKAGE = Path(theory.__path__[0])
SHARED = {"checks", "frames", "lazy", "short_text"}
# What the modules of a room may import; rooms of phenomena know nothing of each other.
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
MAY_IMPORT = {name: SHARED | {"optimality", name} for name in ROOMS}
FACES = sorted(
    ".".join(["theory", *path.parent.relative_to(PACKAGE).parts]) for path in PACKAGE.glob("*/**/__init__.py")
)


def imported_modules(path):
    """Return the modules of `theory` that a file imports anywhere."""
    nodes = ast.walk(ast.parse(path.read_text()))
    names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name for name in names if name.split(".")[0] == "theory"}


def dotted(path):
    return ".".join(["theory", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=dotted)
def test_imports_go_downwards(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    rooms = {name.split(".")[1] for name in imported_modules(path)}
    assert rooms <= MAY_IMPORT.get(room, SHARED)


def test_no_module_imports_itself_through_others():
    # Faces import for type checkers alone, so that they are no part of a circle.
    graph = {dotted(path): imported_modules(path) for path in PACKAGE.rglob("*.py") if path.stem != "__init__"}
    while leaves := [name for name, imported in graph.items() if not imported & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph


@pytest.mark.parametrize("name", FACES)
def test_a_face_imports_nothing_slow(name):
    code = f"import sys, {name}; sys.exit(any(name in sys.modules for name in ('scipy', 'numpy', 'jax', 'xarray')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=False).returncode == 0


@pytest.mark.parametrize("name", FACES)
def test_a_face_hands_on_what_it_promises(name):
    face = importlib.import_module(name)
    assert face.__all__
    assert set(face.__all__) <= set(dir(face))
    for public in face.__all__:
        # A module of that name would replace what is handed on once it is imported.
        assert not (Path(face.__path__[0]) / public).with_suffix(".py").exists()
        home = getattr(getattr(face, public), "__module__", None)  # a constant has none
        assert home is None or home.startswith(f"{name}.")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'theory.optimality' has no attribute 'nothing'$"):
        importlib.import_module("theory.optimality").nothing  # noqa: B018
