import errno
import os
import random
import shutil

import numpy as np
import pytest

from simlab.storage import manifest as sweep_manifest
from simlab.storage import sealed_files
from simlab.storage.manifest import differences, fingerprint, share_manifest, summarise
from simlab.storage.sealed_files import SaveError

pytestmark = pytest.mark.quick

SWEEP = {"lazy": {"width": 64, "rate": 0.1}, "axes": {"mu": [0.5, 1.0]}, "seeds": 3}


def share(folder, sweep=SWEEP, layout=lambda: {"chunk": 4}, reports=None):
    on_corrupt = pytest.fail if reports is None else reports.append
    return share_manifest(folder / "parts", sweep, layout, {"jax": "1.2.3"}, on_corrupt)


def no_layout():
    pytest.fail("made a layout")


def listing(folder):
    """The files under a folder with their content; locks, which are empty and stay, left out."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# --- one manifest ---


def test_a_second_process_follows_the_layout_of_the_first(tmp_path):
    first = share(tmp_path / "new" / "run", layout=lambda: {"chunks": (4, np.int32(2)), 1: 0.1})
    assert share(tmp_path / "new" / "run", layout=no_layout) == first
    assert first == {
        "format": sweep_manifest.FORMAT,
        "sweep": SWEEP,
        "layout": {"chunks": [4, 2], "1": 0.1},
        "made_by": {"jax": "1.2.3"},
    }
    assert set(listing(tmp_path)) == {"new/run/parts/manifest.json"}


def test_the_fingerprint_tells_sweeps_and_layouts_apart_and_nothing_else():
    one = {"format": 1, "sweep": {"a": 1, "b": 2}, "layout": {"chunk": 4}, "made_by": {}}
    assert fingerprint(one) == fingerprint(one | {"sweep": {"b": 2, "a": 1}, "made_by": {"jax": "2"}, "format": 2})
    others = [one, one | {"sweep": {"a": 1, "b": 3}}, one | {"layout": {"chunk": 5}}]
    assert len({fingerprint(other) for other in others}) == 3


@pytest.mark.parametrize("harm", ["cut", "flip"])
def test_harm_at_any_byte_is_found_and_the_manifest_made_anew(tmp_path, harm):
    reports, bits = [], random.Random(1)
    share(tmp_path)
    path, layout = tmp_path / "parts" / "manifest.json", {"chunk": 5}
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        harmed = bytearray(whole[:place] if harm == "cut" else whole)
        if harm == "flip":
            harmed[place] ^= 1 << bits.randrange(8)
        path.write_bytes(harmed)
        manifest = share(tmp_path, layout=lambda: layout, reports=reports)
        assert manifest["layout"] == layout, f"{harm} at byte {place} of {len(whole)}"
        assert (tmp_path / "quarantine" / "manifest.json").read_bytes() == harmed
        (report,) = reports
        assert report.startswith("parts/manifest.json: corrupt (")
        assert report.endswith("), moved to quarantine/manifest.json; made anew")
        assert "\n" not in report
        reports.clear()
        shutil.rmtree(tmp_path / "quarantine")


def test_a_full_disk_leaves_no_half_manifest(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SaveError, match=r"manifest.json: the disk is full \(No space left on device\); "):
            share(tmp_path)
    assert listing(tmp_path) == {}
    share(tmp_path)


@pytest.mark.parametrize("links", [None, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_locks_or_hard_links_one_manifest_wins_all_the_same(tmp_path, monkeypatch, links):
    def no_links(*_):
        raise OSError(links, os.strerror(links))

    def layout_while_another_process_starts():
        share(tmp_path, layout=lambda: {"chunk": "theirs"})
        return {"chunk": "ours"}

    monkeypatch.setattr(sealed_files, "fcntl", None)
    if links is not None:
        monkeypatch.setattr(os, "link", no_links)
    assert share(tmp_path, layout=layout_while_another_process_starts)["layout"] == {"chunk": "theirs"}
    assert set(listing(tmp_path)) == {"parts/manifest.json"}


# --- one sweep per folder ---


def test_a_changed_sweep_is_refused_by_its_fields_and_nothing_changes(tmp_path):
    share(tmp_path)
    before = listing(tmp_path)
    changed = {"lazy": {"width": 128, "rate": 0.1}, "axes": {"mu": [0.5, 2.0]}, "rich": {"width": 8}, "seeds": 3}
    with pytest.raises(ValueError, match=r"^out: expected") as caught:
        share(tmp_path, changed, layout=no_layout)
    assert str(caught.value) == (
        "out: expected a folder with parts of this sweep (lazy.width: 64 there, 128 here; axes.mu: [0.5, 1.0] there, "
        f"[0.5, 2.0] here; rich.width: nothing there, 8 here), got {str(tmp_path)!r}"
    )
    assert listing(tmp_path) == before


def test_another_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_manifest, "FORMAT", 7)
    share(tmp_path)
    monkeypatch.setattr(sweep_manifest, "FORMAT", 8)
    before = listing(tmp_path)
    message = r"^out: expected parts of format 8 \(another version of simlab has begun a run in .*\), got 'format 7'$"
    with pytest.raises(sweep_manifest.OtherSweep, match=message):
        share(tmp_path, layout=no_layout)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (1, 1.0),
        (float("nan"), np.float64("nan")),
        ([0.1, float("nan")], (0.1, np.float64("nan"))),
        (np.linspace(0, 1, 7), np.linspace(0, 1, 7).tolist()),
        (np.float32(0.1), float(np.float32(0.1))),
        ({1: {"x": None}}, {"1": {"x": None}}),
        ([{"x": (1,)}], [{"x": [1.0]}]),
        (float("-inf"), np.float32("-inf")),
    ],
)
def test_what_json_cannot_tell_apart_is_no_difference(tmp_path, there, here):
    assert differences({"x": there}, {"x": here}) == []
    share(tmp_path, {"x": there})
    share(tmp_path, {"x": here}, layout=no_layout)


def test_each_difference_is_named_with_both_values():
    there = {"a": {"b": {"c": 1}}, "only": "there", "same": [1, 2], "mixed": {"x": 1}, "empty": {}, "void": {}}
    there["large"], there["small"] = {str(i): i for i in range(7)}, {"z": 1}
    here = {"same": [1, 2], "a": {"b": {"c": 1.5}}, "mixed": 3, "new": None, "empty": {"y": float("nan")}}
    assert differences(there, here) == [
        "a.b.c: 1 there, 1.5 here",
        "only: 'there' there, nothing here",
        "mixed: 1 field there, 3 here",
        "empty.y: nothing there, nan here",
        "void: 0 fields there, nothing here",
        "large: 7 fields there, nothing here",
        "small.z: 1 there, nothing here",
        "new: nothing there, None here",
    ]


def test_long_values_show_where_they_differ():
    seeds = list(range(1000))
    (line,) = differences({"seeds": seeds}, {"seeds": [*seeds[:-1], 7]})
    assert line == "seeds: ...995, 996, 997, 998, 999] there, ...995, 996, 997, 998, 7] here"
    (line,) = differences({"name": "a" * 200}, {"name": "a" * 50 + "\n" + "b" * 200})
    assert len(line) < 160
    assert "\n" not in line
    assert differences({"name": "a"}, {"name": "ab"}) == ["name: 'a' there, 'ab' here"]


def test_many_differences_are_counted():
    lines = differences({}, {f"x{i}": i for i in range(9)})
    assert len(lines) == 9
    assert summarise(lines).endswith("; x5: nothing there, 5 here; and 3 more")
    assert summarise(lines[:6]).endswith("; x5: nothing there, 5 here")
