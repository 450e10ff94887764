"""Record in a wheel the commit that it was built from, which pyproject.toml alone cannot do.

Setuptools imports this module from its file during the build, so it imports nothing from simlab.
"""

import subprocess
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[2]
TRACKED = ("git", "ls-files", "--error-unmatch", "pyproject.toml")
DESCRIBE = ("git", "describe", "--always", "--dirty", "--exclude", "*", "--abbrev=40")


class BuildWithRevision(build_py):
    """Build step that writes the commit into the package ``simlab`` if git tracks the project."""

    def run(self):
        """Build the packages, and write ``simlab/built_from.txt``."""
        super().run()
        try:
            subprocess.run(TRACKED, cwd=ROOT, check=True, capture_output=True)
            revision = subprocess.run(DESCRIBE, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return
        if not self.editable_mode:
            (Path(self.build_lib) / "simlab" / "built_from.txt").write_text(f"{revision}\n")
