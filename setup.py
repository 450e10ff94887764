"""What pyproject.toml cannot say: a wheel holds the commit that it was built from."""

import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TRACKED = ["git", "ls-files", "--error-unmatch", "setup.py"]
DESCRIBE = ["git", "describe", "--always", "--dirty", "--exclude", "*", "--abbrev=40"]


class BuildWithRevision(build_py):
    """Copies the packages, and writes the commit beside ``simlab``; nothing where git does not track this file."""

    def run(self):
        """Build the packages."""
        super().run()
        here = Path(__file__).resolve().parent
        try:
            subprocess.run(
                ["git", "ls-files", "--error-unmatch", "setup.py"], cwd=here, check=True, capture_output=True
            )
            revision = subprocess.run(DESCRIBE, cwd=here, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return
        if not self.editable_mode:
            (Path(self.build_lib) / "simlab" / "built_from.txt").write_text(f"{revision}\n")


setup(cmdclass={"build_py": BuildWithRevision})
