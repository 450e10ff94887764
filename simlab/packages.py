"""Import the top-level packages installed with simlab, even where a folder of the same name hides them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PACKAGES = ("experiments", "figures", "theory")

_ROOT = Path(__file__).resolve().parents[1]


def own_package(name: str) -> ModuleType:
    """Import a package of simlab, even where a plain folder of that name comes first in ``sys.path``.

    The current folder, or that of the script, comes first. A folder there without ``__init__.py``, such as a folder of
    figures, hides a package installed in editable mode. A package there always hides the one of simlab.

    Args:
        name: one of :data:`PACKAGES`.

    Returns: the module, also entered as ``sys.modules[name]``.

    Raises:
        ImportError: another package has this name; the message names its file.
    """
    home = _ROOT / name
    imported = sys.modules.get(name)
    spec = importlib.util.find_spec(name) if imported is None else imported.__spec__
    if spec is not None and spec.origin is not None and Path(spec.origin).parent.resolve() != home:
        raise ImportError(
            f"{name}: expected the package that belongs to simlab, in {_ROOT}, got {spec.origin}, which comes first in "
            "sys.path: rename that package, or run from another folder",
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
