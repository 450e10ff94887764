"""The top-level packages that are installed with simlab, and what may hide them: a folder of the same name."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PACKAGES = ("experiments", "figures", "theory")

_ROOT = Path(__file__).resolve().parents[1]


def own_package(name: str) -> ModuleType:
    """Import a package of simlab's, also where a plain folder of that name comes first in ``sys.path``.

    The current folder, or that of a script, comes first. A folder without ``__init__.py`` there, such as one of
    figures, hides a package that is installed in editable mode. A package there hides ours in any case.

    Args:
        name: one of :data:`PACKAGES`.

    Returns: the module, which is ``sys.modules[name]`` from then on.

    Raises:
        ImportError: another package has this name; the message says which file it is.
    """
    home = _ROOT / name
    imported = sys.modules.get(name)
    spec = importlib.util.find_spec(name) if imported is None else imported.__spec__
    if spec is not None and spec.origin is not None and Path(spec.origin).parent.resolve() != home:
        raise ImportError(
            f"{name}: expected the package that belongs to simlab, in {_ROOT}, got {spec.origin}, which comes first in "
            "sys.path: rename one's own package, or run from another folder",
            name=name,
        )
    if imported is not None and spec is not None and spec.origin is not None:
        return imported
    spec = importlib.util.spec_from_file_location(name, home / "__init__.py", submodule_search_locations=[str(home)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
