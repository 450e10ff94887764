"""Imports run one way: theory and simlab are strangers, figures know the saved dataset alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"simlab", "theory", "experiments", "figures", "tests"}
MAY_IMPORT = {
    "simlab": {"simlab"},
    "theory": {"theory"},
    "figures": {"figures"},
    "experiments": {"simlab", "theory", "figures", "experiments"},
}


def imported_packages(source: str) -> set[str]:
    """Return the top-level packages that a module imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_run_one_way(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for file in files:
        foreign = (imported_packages(file.read_text()) & OURS) - MAY_IMPORT[folder]
        assert not foreign, f"{file.relative_to(ROOT)} imports {sorted(foreign)}"


def test_the_rule_sees_a_breach():
    assert imported_packages("def f():\n    from simlab.tasks.sentence_task import SentenceTask\n") == {"simlab"}
