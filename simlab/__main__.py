"""``python -m simlab``: the command line."""

import sys

from simlab.command_line import main

if __name__ == "__main__":
    sys.exit(main())
