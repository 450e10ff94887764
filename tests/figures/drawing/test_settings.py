"""A figure is the same whatever matplotlib's settings are: those of a user, of the current folder, of a notebook."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from experiments.core.output import draw_figures
from figures import draw
from figures.drawing import style

ROOT = Path(__file__).parents[3]
AXES = {"importance": [0.01, 0.1, 1.0]}
USERS = {
    "text.usetex": True,
    "pdf.use14corefonts": True,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "axes.grid": True,
    "axes.facecolor": "pink",
    "path.sketch": (1, 100, 2),
    "lines.marker": "x",
    "font.size": 20,
    "svg.fonttype": "none",
    "figure.autolayout": True,
}
PLOT = "import sys; from experiments.commands.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize("kind", ["pdf", "png", "svg"])
def test_settings_of_the_user_do_not_show(made_up, tmp_path, kind):
    dataset = made_up(AXES)
    style.save(draw("sweeps.sweep", dataset), tmp_path / f"default.{kind}")
    with matplotlib.rc_context(USERS):
        style.save(draw("sweeps.sweep", dataset), tmp_path / f"users.{kind}")
    assert (tmp_path / f"users.{kind}").read_bytes() == (tmp_path / f"default.{kind}").read_bytes()


@pytest.mark.parametrize("backend", ["module://not_installed.backend_inline", "nonsense"])
@pytest.mark.parametrize("command", ["plot run", "report run --out page.html"])
def test_a_backend_that_is_not_installed_is_not_needed(made_up, tmp_path, backend, command):
    """A notebook leaves its backend in the environment; the settings in the current folder have no effect either."""
    dataset = made_up(AXES).assign_attrs(figures='["sweeps.sweep"]')
    folder = tmp_path / "run"
    folder.mkdir()
    dataset.to_netcdf(folder / "results.nc", engine="h5netcdf")
    draw_figures(dataset, tmp_path)
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\naxes.grid: True\npdf.use14corefonts: True\n")
    done = subprocess.run(
        [sys.executable, "-c", PLOT, *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if command == "plot run":
        for kind in (".pdf", ".png"):
            assert (folder / f"sweep{kind}").read_bytes() == (tmp_path / f"sweep{kind}").read_bytes()
    else:
        page = (tmp_path / "page.html").read_text()
        assert "<svg" in page
        assert "cannot be drawn" not in page
