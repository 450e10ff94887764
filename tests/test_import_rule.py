"""Imports run one way: between the packages, between the rooms of simlab and of experiments, and never in a circle.

A *room* is a folder of modules, or a module beside the rooms of its package. Imports within functions count, as they
tie two modules as well; those for type checkers alone do not, except between packages.
"""

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
PACKAGES = ("simlab", "theory", "experiments", "figures")
OURS = {*PACKAGES, "tests"}
MAY_IMPORT = {
    "simlab": {"simlab"},
    "theory": {"theory"},
    "figures": {"figures"},
    "experiments": {"simlab", "theory", "figures", "experiments"},
}
# The rooms of simlab from the lowest to the highest.
FLOORS = (
    "packages", "command_line", "validation", "sizes", "runtime", "storage", "tasks", "metrics", "losses", "data",
    "networks", "exact", "training", "sweeps",
)  # fmt: skip
SIMLAB_LEVELS = {room: level for level, room in enumerate(FLOORS)}
# experiments/core/phenomenon.py is their contract.
PHENOMENA = {path.parent.name for path in (ROOT / "experiments").glob("*/phenomenon.py")} - {"core"}
# The rooms of experiments that have a level; the others may import any.
EXPERIMENTS_LEVELS = {
    "catalogue": 0,
    "core": 0,
    **dict.fromkeys(PHENOMENA, 1),
    "registry": 2,
    "phenomena": 2,
    "commands": 3,
}
# These serve every phenomenon and read only what it declares.
KNOW_NO_PHENOMENON = ("core", "tables", "report")
LARGEST_ROOM = 20


def imports(node: ast.AST, *, for_types: bool):
    """Yield the import statements below a node, those under ``if TYPE_CHECKING`` only if asked."""
    for child in ast.iter_child_nodes(node):
        if not for_types and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            children = child.orelse
        else:
            children = [child]
        for descendant in children:
            if isinstance(descendant, ast.Import | ast.ImportFrom):
                yield descendant
            yield from imports(descendant, for_types=for_types)


def imported_names(source: str, *, for_types: bool = False) -> set[str]:
    """Return what a module imports: modules, and names of modules, each with its full path."""
    names = set()
    for node in imports(ast.parse(source), for_types=for_types):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, "relative imports hide where a name comes from"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def imported_packages(source: str) -> set[str]:
    """Return the top-level packages that a module imports anywhere, also within functions and for type checkers."""
    return {name.split(".")[0] for name in imported_names(source, for_types=True)}


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def read_sources() -> dict[str, str]:
    """Return the text of every module of the four packages, by the name of the module."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {module_name(path.relative_to(ROOT)): path.read_text(encoding="utf8") for path in paths}


def import_graph(sources: dict[str, str]) -> dict[str, set[str]]:
    """Return the modules that each module imports, of those given."""
    return {name: (imported_names(text) & sources.keys()) - {name} for name, text in sources.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of an import circle, or an empty list if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def room(module: str) -> str:
    """Return the room of a module, ``tasks`` of ``simlab.tasks.batch``; empty for a package itself."""
    return (*module.split("."), "")[1]


def room_imports(graph: dict[str, set[str]], package: str):
    """Yield ``(module, target, its room, the target's room)`` for each import within a package."""
    for module, targets in graph.items():
        for target in sorted(targets):
            if module.split(".")[0] == target.split(".")[0] == package:
                yield module, target, room(module), room(target)


def upward_imports(graph: dict[str, set[str]], package: str, levels: dict[str, int]) -> list[str]:
    """Return a line for each import from a room of a lower level to one of a higher level."""
    return [
        f"{module} imports {target}"
        for module, target, own, other in room_imports(graph, package)
        if own in levels and other in levels and levels[own] < levels[other]
    ]


def phenomenon_imports(graph: dict[str, set[str]], phenomena: set[str]) -> list[str]:
    """Return a line for each import of a phenomenon by a room that serves all of them."""
    return [
        f"{module} imports {target}"
        for module, target, own, other in room_imports(graph, "experiments")
        if own in KNOW_NO_PHENOMENON and other in phenomena
    ]


def crowded_rooms(paths: list[Path]) -> list[str]:
    """Return a line for each folder of more modules than a room may have, its face not counted."""
    sizes = Counter(path.parent.as_posix() for path in paths if path.name != "__init__.py")
    return [f"{folder} has {size} files" for folder, size in sizes.items() if size > LARGEST_ROOM]


@pytest.fixture(scope="module")
def graph():
    return import_graph(read_sources())


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_run_one_way(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        foreign = (imported_packages(file.read_text(encoding="utf8")) & OURS) - MAY_IMPORT[folder]
        assert not foreign, f"{file.relative_to(ROOT)} imports {sorted(foreign)}"


def test_there_is_no_import_circle(graph):
    assert circle(graph) == []


def test_rooms_of_simlab_import_downwards(graph):
    rooms = {room(module) for module in graph if module.startswith("simlab.")}
    rooms -= {"__main__"}  # it runs the command line and is imported by nobody
    assert rooms == set(FLOORS), "every room of simlab has its place in the order"
    assert upward_imports(graph, "simlab", SIMLAB_LEVELS) == []


def test_rooms_of_experiments_import_downwards(graph):
    assert {"feature_collapse", "neural_collapse", "layer_collapse"} <= PHENOMENA
    assert {room(module) for module in graph} >= {*EXPERIMENTS_LEVELS, *KNOW_NO_PHENOMENON}
    assert upward_imports(graph, "experiments", EXPERIMENTS_LEVELS) == []
    assert phenomenon_imports(graph, PHENOMENA) == []


def test_rooms_are_small():
    paths = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert crowded_rooms(paths) == []


# --- the rules see a breach ---


def test_a_breach_between_packages_is_seen():
    assert imported_packages("def f():\n    from simlab.tasks.sentence_task import SentenceTask\n") == {"simlab"}
    assert imported_packages("if TYPE_CHECKING:\n    import theory.frames\n") == {"theory"}


@pytest.mark.parametrize(
    ("text", "is_circle"),
    [
        ("from simlab.tasks.first import f", True),
        ("from simlab.tasks import first", True),
        ("import simlab.tasks.first", True),
        ("def g():\n    if True:\n        from simlab.tasks.first import f", True),
        ("if TYPE_CHECKING:\n    from simlab.tasks.first import f", False),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from simlab.tasks.first import f", True),
        ("import numpy", False),
    ],
)
def test_a_circle_is_seen(text, is_circle):
    sources = {"simlab.tasks.first": "from simlab.tasks.second import g", "simlab.tasks.second": text}
    assert bool(circle(import_graph(sources))) == is_circle


def test_an_upward_import_in_simlab_is_seen():
    sources = {
        "simlab.tasks.batch": "def f():\n    from simlab.training import trainer",
        "simlab.training.trainer": "from simlab.validation import invalid",
        "simlab.validation": "import simlab.runtime.devices",
        "simlab.runtime.devices": "",
    }
    assert upward_imports(import_graph(sources), "simlab", SIMLAB_LEVELS) == [
        "simlab.tasks.batch imports simlab.training.trainer",
        "simlab.validation imports simlab.runtime.devices",
    ]


def test_an_upward_import_in_experiments_is_seen():
    sources = {
        "experiments.core.axes": "from experiments.registry import NAMES",
        "experiments.registry": "from experiments.core.axes import Axis",
        "experiments.feature_collapse.regimes": "import experiments.phenomena, experiments.core.axes",
        "experiments.phenomena": "from experiments.commands import cli",
        "experiments.commands.cli": "import experiments.registry",
        "experiments.sweep": "from experiments.registry import NAMES",
    }
    assert upward_imports(import_graph(sources), "experiments", EXPERIMENTS_LEVELS) == [
        "experiments.core.axes imports experiments.registry",
        "experiments.feature_collapse.regimes imports experiments.phenomena",
        "experiments.phenomena imports experiments.commands.cli",
    ]


@pytest.mark.parametrize("own", KNOW_NO_PHENOMENON)
def test_a_phenomenon_in_a_room_that_serves_all_is_seen(own):
    sources = {f"experiments.{own}.page": "from experiments.feature_collapse.regimes import EXPERIMENT"}
    sources |= {"experiments.feature_collapse.regimes": f"import experiments.{own}.page"}
    expected = [f"experiments.{own}.page imports experiments.feature_collapse.regimes"]
    assert phenomenon_imports(import_graph(sources), PHENOMENA) == expected


def test_a_crowded_room_is_seen():
    paths = [Path(f"simlab/tasks/task_{number}.py") for number in range(LARGEST_ROOM)]
    assert crowded_rooms([*paths, Path("simlab/tasks/__init__.py"), Path("simlab/losses/margin.py")]) == []
    assert crowded_rooms([*paths, Path("simlab/tasks/more.py")]) == ["simlab/tasks has 21 files"]
