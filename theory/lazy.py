"""Package `__init__` modules that import a submodule only when one of its names is used."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def hand_on(package: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package that re-exports names of its modules lazily.

    Importing the package imports none of these modules. A name is resolved once and then stored as an ordinary
    attribute.

    Args:
        package: `__name__` of the package.
        names: for each module of the package, the names to re-export. No name may be that of a module: importing the
            module would overwrite it.

    Returns: the two functions, to be assigned to `__getattr__` and `__dir__` (PEP 562).
    """
    homes = {name: f"{package}.{module}" for module, handed_on in names.items() for name in handed_on}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(sys.modules[package]), *homes})
