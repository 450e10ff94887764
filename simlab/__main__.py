"""``python -m simlab``: the command line, which is the module ``experiments.cli``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("experiments.cli", run_name="__main__")
