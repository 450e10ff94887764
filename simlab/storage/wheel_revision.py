"""What pyproject.toml cannot say: a wheel holds the commit that it was built from.

Setuptools imports this module by its file while it builds, so it imports nothing of simlab.
"""

import subprocess
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[2]
TRACKED = ("git", "ls-files", "--error-unmatch", "pyproject.toml")
DESCRIBE = ("git", "describe", "--always", "--dirty", "--exclude", "*", "--abbrev=40")


class BuildWithRevision(build_py):
    """Copies the packages, and writes the commit beside ``simlab``; nothing where git does not track the project."""

    def run(self):
        """Build the packages."""
        super().run()
        try:
            subprocess.run(TRACKED, cwd=ROOT, check=True, capture_output=True)
            revision = subprocess.run(DESCRIBE, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return
        if not self.editable_mode:
            (Path(self.build_lib) / "simlab" / "built_from.txt").write_text(f"{revision}\n")
