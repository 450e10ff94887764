"""`pytest -m quick` touches every folder of tests."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

TESTS = Path(__file__).parent


def quick_folders(root: Path) -> set[Path]:
    """Return the folders below one that hold a test file in which the mark is set."""
    return {path.parent for path in root.rglob("test_*.py") if "pytest.mark.quick" in path.read_text(encoding="utf8")}


def test_every_folder_has_a_quick_test():
    folders = {path.parent for path in TESTS.rglob("test_*.py")}
    assert folders - quick_folders(TESTS) == set()


def test_a_folder_without_one_is_seen(tmp_path):
    for name, text in (("one", "pytestmark = pytest.mark.quick"), ("two", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_it.py").write_text(text)
    assert quick_folders(tmp_path) == {tmp_path / "one"}
