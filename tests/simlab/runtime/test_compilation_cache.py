import os
import subprocess
import sys
from pathlib import Path

# Compiles one program; given its folder, corrupts it there and compiles it once more.
COMPILE = """
import os, sys
import jax
from simlab.runtime.compilation_cache import keep_compilations

keep_compilations(say=print)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

@jax.jit
def program(x):
    return x + 1

program(1.0)
for path in sys.argv[1:]:
    (kept,) = (entry for entry in os.scandir(path) if entry.name.startswith("jit_program-"))
    os.truncate(kept.path, kept.stat().st_size // 2)
    jax.clear_caches()
    program(1.0)
"""


def compile_in_a_process(home, *arguments):
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def sizes(folder):
    return {path.name: path.stat().st_size for path in folder.glob("jit_program-*")}


def test_a_corrupt_program_is_replaced_and_nothing_is_said(tmp_path):
    kept = tmp_path / "simlab" / "compiled"
    assert compile_in_a_process(tmp_path) == []
    before = sizes(kept)
    assert len(before) == 1
    assert compile_in_a_process(tmp_path, kept) == []
    after = sizes(kept)
    assert before.keys() == after.keys()
    # Compiled programs hold some random names; half of one they are not.
    assert all(after[name] > 0.9 * before[name] for name in before)


def test_where_nothing_can_be_kept_one_line_tells_it(tmp_path):
    home = tmp_path / "file"
    home.touch()
    (line,) = compile_in_a_process(home)
    assert line == f"compiled programs cannot be kept in {home}/simlab/compiled: Not a directory"


HARM = """
import pathlib, sys
import jax
from simlab.runtime.compilation_cache import keep_compilations

keep_compilations(say=print)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
kept = pathlib.Path(sys.argv[1])
double, triple = jax.jit(lambda x: 2 * x), jax.jit(lambda x: 3 * x)

def compute():
    jax.clear_caches()
    assert (double(2.0), triple(2.0)) == (4, 6)
    return sorted(kept.glob("jit__lambda*-cache"))

first, second = compute()
contents = first.read_bytes(), second.read_bytes()
first.write_bytes(contents[1])
second.write_bytes(contents[0])
compute()
assert first.read_bytes() != contents[1] and second.read_bytes() != contents[0]
for bit in range(0, 8 * len(contents[0]), len(contents[0]) // 3):
    harmed = bytearray(first.read_bytes())
    harmed[bit // 8] ^= 1 << bit % 8
    first.write_bytes(harmed)
    compute()
    assert first.read_bytes() != harmed
before = first.stat().st_mtime_ns
compute()
assert first.stat().st_mtime_ns == before
"""


def test_programs_that_are_swapped_or_damaged_are_compiled_anew(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", HARM, str(tmp_path / "simlab" / "compiled")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
