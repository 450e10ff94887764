"""Package faces that import a module only when one of its names is used."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def hand_on(package: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package that hands on names of its modules.

    Importing the package imports none of these modules; a name is looked up once and then is an attribute like others.

    Args:
        package: `__name__` of the package.
        names: for each module below the package, the names that it hands on. None may be the name of a module:
            importing that module would replace it.

    Returns: both functions, to be assigned to `__getattr__` and `__dir__` (PEP 562).
    """
    homes = {name: f"{package}.{module}" for module, handed_on in names.items() for name in handed_on}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(sys.modules[package]), *homes})
