"""The top-level packages installed with simlab, and what may hide or replace them.

A folder or a module of the same name hides a package if it comes first in ``sys.path``. Another distribution with a
package of the same name replaces files: pip installs over those of simlab without a warning.
"""

import importlib.util
import re
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import ModuleType

PACKAGES = ("experiments", "figures", "theory")

_ROOT = Path(__file__).resolve().parents[1]


def own_package(name: str, *, although_hidden: bool = False) -> ModuleType:
    """Import a package of simlab, even where a plain folder of that name comes first in ``sys.path``.

    The current folder, or that of the script, comes first. A folder there without ``__init__.py``, such as a folder of
    figures, hides a package installed in editable mode. A package there hides the one of simlab by default.

    Args:
        name: one of :data:`PACKAGES`.
        although_hidden: whether ours is imported also where a package of that name comes first in ``sys.path``.

    Returns: the module, also entered as ``sys.modules[name]``.

    Raises:
        ImportError: another package has this name, or another distribution has replaced files of simlab; the message
            names the file.
    """
    home = _ROOT / name
    imported = sys.modules.get(name)
    spec = importlib.util.find_spec(name) if imported is None else imported.__spec__
    origin = None if spec is None else spec.origin
    is_other = origin is not None and Path(origin).parent.resolve() != home
    if is_other and (imported is not None or not although_hidden):
        raise ImportError(
            f"{name}: expected the package that belongs to simlab, in {_ROOT}, got {origin}, which comes first in "
            "sys.path: rename that package, or run from another folder",
            name=name,
        )
    check_files(name)
    if imported is not None and origin is not None:
        return imported
    spec = importlib.util.spec_from_file_location(name, home / "__init__.py", submodule_search_locations=[str(home)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with ExitStack() as undo:
        undo.callback(sys.modules.pop, name)
        spec.loader.exec_module(module)
        undo.pop_all()
    return module


@cache
def check_files(name: str, root: Path = _ROOT) -> None:
    """Raise ``ImportError`` if another distribution has replaced, or removed, modules of a package of simlab's.

    The modules at the top of the package are held against the hashes that pip recorded. There is nothing to check
    where simlab is not installed as a copy of its files. A module that the user has changed is accepted.

    Args:
        name: one of :data:`PACKAGES`.
        root: the folder into which simlab is installed.
    """
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    for package, module, digest in _recorded_modules(root):
        if package != name:
            continue
        path = f"{root}/{package}/{module}"
        try:
            with open(path, "rb") as file:
                content = file.read()
        except FileNotFoundError as error:
            line = f"{name}: expected the module of simlab in {path}, got no file: reinstall simlab"
            raise ImportError(line, name=name) from error
        if urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=") == digest:
            continue
        owners = " and ".join(_other_owners(root, f"{package}/{module}"))
        if owners:
            raise ImportError(
                f"{name}: expected the module of simlab in {path}, got that of the package {owners}, which was "
                f"installed over it: use an environment without {owners}, or uninstall it and reinstall simlab",
                name=name,
            )


@cache
def _recorded_modules(root: Path) -> list[tuple[str, str, str]]:
    """Return package, name and hash of the modules that pip recorded at the top of each package."""
    pattern = rf"^({'|'.join(PACKAGES)})/([^/,\n]+\.py),sha256=([^,\n]+),"
    records = (record.read_text(encoding="utf-8") for record in root.glob("simlab-*.dist-info/RECORD"))
    return sorted(line for record in records for line in re.findall(pattern, record, re.MULTILINE))


def _other_owners(root: Path, path: str) -> list[str]:
    """Return the names of the other distributions that have installed a file."""
    records = (record for record in sorted(root.glob("*.dist-info/RECORD")) if record.parent.name[:7] != "simlab-")
    return [
        record.parent.name.partition("-")[0]
        for record in records
        if f"\n{path}," in f"\n{record.read_text(encoding='utf-8')}"
    ]
