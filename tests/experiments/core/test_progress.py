import pytest

from experiments.core.progress import Bar, Lines, format_seconds

pytestmark = pytest.mark.quick


def test_lines_tell_members_pace_and_time_left(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("experiments.core.progress.time.monotonic", lambda: clock[0])
    with Lines(interval=5.0) as progress:
        progress.start(1000, 4)
        progress.advance(200, 0)  # left behind by an earlier run: no pace yet
        clock[0] = 10.0
        progress.advance(400, 1)
        clock[0] = 20.0
        progress.advance(1000, 4)
        progress.advance(1000, 4)  # said once
    printed = capsys.readouterr().err.splitlines()
    assert printed == [
        "4 members, 1,000 steps: compiling",
        "40 %, 1 of 4 members done, 20 steps/s, 30 s left",
        "100 %, 4 of 4 members done, 40 steps/s, 0 s left",
    ]


def test_the_bar_tells_members_and_what_is_done():
    with Bar() as progress:
        progress.start(1000, 4)
        assert progress.bars.tasks[0].description == "0/4 members, compiling"
        progress.advance(500, 2)
        assert progress.bars.tasks[0].completed == 500
        assert progress.bars.tasks[0].description.startswith("2/4 members")
        progress.say("analysing member 3 of 4")
        assert progress.bars.tasks[0].description == "analysing member 3 of 4"


def test_seconds_are_given_in_the_unit_that_reads_best():
    assert [format_seconds(seconds) for seconds in (4.4, 600, 9000)] == ["4 s", "10 min", "2.5 h"]
