"""The console script ``simlab``: checks that the packages of the command line are those of simlab, then runs it."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from simlab.packages import PACKAGES, own_package


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``experiments.cli.main`` and return the exit status, 1 where a package of simlab's has been replaced.

    Packages of the same names that come first in ``sys.path``, such as those of the current folder, are passed over.

    Args:
        argv: the words after the name of the command; None for those of ``sys.argv``.
    """
    # Read when NumPy is imported. By default idle threads of OpenBLAS keep their cores busy for a hundredth of a second
    # after each product, while another thread computes.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    try:
        for name in reversed(PACKAGES):  # experiments imports the others
            own_package(name, although_hidden=True)
    except ImportError as error:
        print(f"simlab: {error}", file=sys.stderr)
        return 1
    return import_module("experiments.cli").main(argv)
