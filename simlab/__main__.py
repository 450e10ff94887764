"""``python -m simlab``: the command line, which is the module ``experiments.cli``."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # ``python -m`` searches the current folder first, which may hold another package named ``theory``.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    runpy.run_module("experiments.cli", run_name="__main__")
