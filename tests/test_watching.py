"""Progress on terminals, in notebooks and elsewhere, and what Ctrl-C does to a run."""

from __future__ import annotations

import io
import math
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from stegfield import watching
from stegfield.fields import FitProgress
from stegfield.fixednet import EmbedProgress
from stegfield.watching import Told


class Clock:
    """A clock that stands still until it is set."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_lines_come_after_half_a_second_and_ever_more_seldom(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)
    said_at = []
    with watching.progress() as watch:
        for tenth in range(1, 3000):
            clock.now = 100 + tenth / 10
            watch(EmbedProgress(fraction=tenth / 3000, bits_left=3000 - tenth, psnr_db=50.0))
            if capsys.readouterr().err:
                said_at.append(tenth / 10)
    assert said_at == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5, 243.5]


def test_a_line_tells_what_is_done_and_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)
    with watching.progress() as watch:
        clock.now += 10
        watch(EmbedProgress(fraction=0.25, bits_left=3000, psnr_db=50.04))
    assert capsys.readouterr().err == "25%: 3,000 bits left, 50.0 dB, 30 s left\n"


def test_an_embedding_that_has_just_begun_tells_no_time_and_no_psnr() -> None:
    line = watching.Lines(str).line(EmbedProgress(0.0, 3000, math.inf).told(()))
    assert line == "0%: 3,000 bits left"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s left"), (119.0, "119 s left"), (150.0, "2 min left")]
)
def test_long_times_are_told_in_minutes(seconds: float, words: str) -> None:
    lines = watching.Lines(str)
    assert lines.left(Told(0.5, "", "", seconds)) == words
    assert lines.left(Told(0.5, "", "", math.nan)) == ""
    assert lines.left(Told(0.0, "", "")) == ""


EMBEDDING = EmbedProgress(fraction=0.25, bits_left=3000, psnr_db=50.04)
FITTING = FitProgress(step=50, fraction=0.5, seconds=4.0, psnr_db=(31.24, 29.0))


def test_a_fit_tells_the_psnr_of_every_signal_that_has_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "FIRST_LINE", 0.0)
    lines: list[str] = []
    with watching.progress("photo", "secret", say=lines.append) as watch:
        assert watch(FITTING) is False
    assert lines == ["50%: step 50, photo 31.2 dB, secret 29.0 dB, 4 s left"]


def test_a_terminal_shows_a_bar_and_takes_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    monkeypatch.setattr("rich.console.Console", lambda **_: console)
    with watching.progress("[photo]") as watch:
        watch(FITTING)
    assert "50 %" in stream.getvalue()
    assert "step 50" in stream.getvalue()
    assert "[photo] 31.2 dB" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


class Cell:
    """What IPython's ``display`` is for a cell."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, line: object, *, display_id: bool) -> Cell:
        assert display_id
        return self

    def update(self, line: object) -> None:
        self.shown.append(repr(line))


def test_a_notebook_shows_one_line_that_changes_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, cell = Clock(), Cell()
    monkeypatch.setattr(watching, "time", clock)
    notebook = watching.Notebook(cell)
    with notebook.shown():
        for hundredth in range(1, 41):
            clock.now = 100 + hundredth / 100
            notebook.show(Told(hundredth / 40, f"step {hundredth}", ""))
    assert cell.shown == [
        "2%: step 1, 0 s left",
        "65%: step 26, 0 s left",
        "100%: step 40, 0 s left",
    ]


def test_ctrl_c_lets_a_fit_wind_down_and_the_second_stops_it() -> None:
    lines: list[str] = []
    with watching.progress(say=lines.append) as watch:
        assert not watch(FITTING)
        signal.raise_signal(signal.SIGINT)
        assert watch(FITTING)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert lines == ["winding down; Ctrl-C again stops at once"]


def test_ctrl_c_stops_at_once_what_has_no_orderly_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    with watching.progress(show=False) as watch:
        assert not watch(EMBEDDING)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_before_a_run_told_anything_is_heeded_as_soon_as_it_does() -> None:
    with watching.progress(show=False) as watch:
        signal.raise_signal(signal.SIGINT)
        assert watch(FITTING)
        with pytest.raises(KeyboardInterrupt):
            watch(EMBEDDING)


def test_threads_show_progress_and_leave_signals_alone() -> None:
    with ThreadPoolExecutor(1) as pool:

        def work() -> bool:
            with watching.progress(show=False) as watch:
                return watch(FITTING)

        assert pool.submit(work).result() is False
