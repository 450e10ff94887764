"""The command line, ``simlab``; see :mod:`experiments.commands.cli`."""

import sys

from experiments.commands.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
