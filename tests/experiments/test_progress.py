from experiments.progress import Bars, Lines


def test_lines_say_when_a_run_is_certified(capsys):
    with Lines() as progress:
        progress.start("regime", 2)
        progress.advance(2)
        progress.certify()
        progress.finish()
    printed = capsys.readouterr().err.splitlines()
    assert printed[0] == "regime: compiling"
    assert printed[1].startswith("regime: 100 %")
    assert printed[2] == "regime: exact minimum and certificate"


def test_the_bar_says_when_a_run_is_certified():
    with Bars() as progress:
        progress.start("regime", 2)
        progress.advance(2)
        progress.certify()
        assert progress.bars.tasks[0].description == "regime (certifying)"
        progress.finish()
        assert progress.bars.tasks[0].description == "regime"
