"""``python -m experiments NAME ...``, equivalent to ``simlab run NAME ...``."""

import sys

from simlab.command_line import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
