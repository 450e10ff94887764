"""The command line, ``simlab``; see :mod:`experiments.commands.cli`."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; an interruption during imports also gives 130."""
    try:
        from experiments.commands import cli

        return cli.main(argv)
    except KeyboardInterrupt:
        print("simlab: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
