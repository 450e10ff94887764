"""Help and errors come at once: they do not wait for the import of the libraries that compute."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW_TO_IMPORT = ("jax", "flax", "optax", "scipy", "xarray", "h5py", "matplotlib")

HELP = (
    "--help",
    "list",
    "--version",
    "run escape --help",
    "run neural-collapse --help",
    "run all --help",
    "run all --plan",
    "predict feature-collapse --help",
    *(f"{command} --help" for command in ("list", "predict", "run", "plot", "report", "verify", "bench")),
)

WRONG_RUNS = (
    "--n-words 601",
    "--n-words many",
    "--n-concepts 1",
    "--n-classes 10 --sentence-length 2",
    "--n-classes all --sentence-length 50",
    "--word-frequency zipfy",
    "--word-frequency 0.5,0.6",
    "--embedding-dim 1",
    "--embedding-dim 2 --layer-norm",
    "--batch-size 0",
    "--batch-size 2000",
    "--per-class 0",
    "--source fres",
    "--source fresh",
    "--source population --n-steps 5",
    "--epochs 0",
    "--n-steps 0",
    "--n-records 0",
    "--n-evaluation 0",
    "--optimizer sgdd",
    "--precision hi",
    "--learning-rate 0",
    "--initial-scale -1",
    "--weight-decay nan",
    "--embedding-weight-decay 0",
    "--classifier-weight-decay inf",
    "--until grad",
    "--until gradient-norm=0",
    "--source fresh --n-steps 5 --until gradient-norm=1",
    "--seeds 0",
    "--first-seed 4294967295 --seeds 2",
    "--preset papre",
    "--vary optimiser=sgd",
    "--vary optimizer=sgd,sgdd",
    "--vary learning-rate=1,0",
    "--vary weight-decay=log:0:1:3",
    "--vary n-words=6 --vary n-words=9",
    "--chunk 0",
    "--class-shards 7",
    "--shard 8/8",
    "--overwrite --shard 0/2",
    "--distributed --coordinator 127.0.0.1:99",
    "--distributed --coordinator nowhere --n-processes 2 --process-id 0",
    f"--out {__file__}/below",
    "--embeding-dim 5",
)

WRONG = (
    "rnu",
    "run",
    "run feature-colapse",
    *(f"run uniform-small-sample {options}" for options in WRONG_RUNS),
    "run all --n-words 6",
    "run all --only escapes",
    "run all --seeds 0",
    "run --from nowhere",
    "run --from nowhere --out new",
    "run --from nowhere --seeds 2",
    "report",
    "report nowhere",
    "predict zipf",
    "predict neural-collapse --n-words 6",
    "run neural-collapse --n-words 6",
    "bench stpe",
    "bench --rounds 0",
    "bench --preset fast",
    "predict feature-collapse --n-words 601",
    "predict feature-collapse --weight-decay 0",
    "predict feature-collapse --embedding-dim 1",
    "plot nowhere",
    "verify integrl",
    f"verify integral --out {__file__}",
)

COMPUTING = "predict feature-collapse"

# Runs one command after the other and prints, for each, its exit status and the libraries that it was first to import.
COMMANDS = """
import json, sys
from experiments.commands.cli import main

def status(words):
    try:
        return main(words)
    except SystemExit as exit:
        return exit.code

slow, seen, found = sys.argv[1].split(), set(), []
for command in sys.stdin.read().splitlines():
    code = status(command.split())
    new = [name for name in slow if name in sys.modules and name not in seen]
    seen.update(new)
    found.append((code, new))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Exit status and imports of every command, all of them given to one process, in an empty folder."""
    commands = (*HELP, *WRONG, COMPUTING)
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, " ".join(SLOW_TO_IMPORT)],
        input="\n".join(commands),
        cwd=tmp_path_factory.mktemp("empty"),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(commands, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("command", HELP)
def test_help_imports_nothing_slow(outcomes, command):
    assert outcomes[command] == [0, []]


@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_argument_is_told_before_anything_slow_is_imported(outcomes, command):
    assert outcomes[command] == [2, []]


def test_what_must_compute_is_seen_to_import(outcomes):
    assert outcomes[COMPUTING] == [0, ["scipy"]]
