"""Tables of benchmarks: results beside targets, and both in documents."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from stegfield import bench, cli, signals
from stegfield.bench import measuring, suites
from stegfield.bench.experiments import EMBEDDERS, EXPERIMENTS, HIDERS
from stegfield.bench.experiments.embedders import Embedded
from stegfield.bench.experiments.embedding import limit_psnr_db
from stegfield.bench.experiments.hiders import Exchange
from stegfield.bench.results import Findings, Results, Setting
from stegfield.bench.sections import Section
from stegfield.errors import ConfigError, InputError
from stegfield.jobs import Entry, Job

SUITE = """
title = "Speed"
experiment = "filling"
[settings]
dataset = "photographs"
[vary]
rate = [1, 2]
[table]
form = "benchmarks"
rows = ["rate"]
headlines = ["2 bpp"]
[names]
rate = "{} bpp"
[figures.psnr_db]
label = "mean {} dB"
better = "higher"
digits = 1
[figures.wrong_messages]
label = "{} wrong"
better = "lower"
digits = 0
[figures.snr_db]
label = "SNR {} dB"
unless = ["psnr_db"]
[figures.seconds]
label = "{} s"
line = "the whole call"
better = "lower"
[[targets]]
psnr_db = 50
[[targets]]
rate = 2
wrong_messages = 0
seconds = 1.5
[[reported]]
rate = 1
method = "theirs"
psnr_db = 40.25
"""
FIGURES = {"psnr_db": 49.96, "wrong_messages": 0, "snr_db": 3.0, "seconds": 1.6}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Records of the suite that miss one target of two."""
    kept = Results(tmp_path)
    machine = {"processor": "a processor", "cores": 2, "threads": 1, "torch": "2.0"}
    for job in suites.parse(SUITE, "speed").jobs():
        kept.add(Entry.of(job, Findings(FIGURES, (), machine)))
    return kept


@pytest.fixture
def sections(results: Results) -> list[Section]:
    """The report of it."""
    return bench.sections([suites.parse(SUITE, "speed")], results)


def test_targets_stand_beside_results_and_what_misses_them_says_so(
    sections: list[Section], results: Results
) -> None:
    table = sections[0].table
    assert table.heads == ["theirs, reported", "target", "result"]
    cells = {
        line.label: [text.replace("\u00a0", " ") for text in line.cells.values()]
        for line in table.lines
    }
    assert cells == {
        "1 bpp": ["mean 40.3 dB*", "mean ≥ 50 dB", "mean 50.0 dB; 0 wrong"],
        "1 bpp, the whole call": ["", "", "1.60 s"],
        "2 bpp": ["", "mean ≥ 50 dB; 0 wrong", "mean 50.0 dB; 0 wrong"],
        "2 bpp, the whole call": ["", "≤ 1.5 s", "1.60 s (missed)"],
    }
    assert len(sections[0].behind) == 1
    assert sections[0].glance[1:] == ["3", "1"]
    html, overview, page = bench.write_report([suites.parse(SUITE, "speed")], results)
    assert html.read_text().count("class=better") == 1
    assert "2 bpp, the whole call: result: 1.60 s (missed); target:" in overview.read_text()
    assert "| benchmark | theirs, reported | target | result |" in page.read_text()


def test_documents_are_filled_between_marks(sections: list[Section]) -> None:
    text = "a\n<!-- speed figures -->\nold\n<!-- end of speed figures -->\nb\n"
    filled = bench.filled(text, sections)
    assert "old" not in filled
    assert "| 2 bpp, the whole call |" in filled
    assert "Measured on a processor, 2 cores, 1 for a job, torch 2.0." in filled
    assert filled.startswith("a\n")
    assert filled.endswith("\nb\n")
    assert bench.filled(filled, sections) == filled
    main = bench.filled(text.replace("speed", "main"), sections)
    assert "| benchmark | target | result |" in main
    assert "| 2 bpp |" in main
    assert "1 bpp" not in main
    with pytest.raises(InputError, match="no results of other"):
        bench.filled(text.replace("speed", "other"), sections)


def test_a_command_fills_a_document(results: Results, tmp_path: Path) -> None:
    (tmp_path / "speed.toml").write_text(SUITE)
    document = tmp_path / "page.md"
    document.write_text("<!-- speed figures -->\n<!-- end of speed figures -->\n")
    suite = ["--suite", str(tmp_path / "speed.toml")]
    assert cli.run(["report", str(tmp_path), *suite, "--into", str(document)]) == 0
    assert "| 1 bpp |" in document.read_text()


@pytest.mark.parametrize(
    "entry", ['form = "prose"', "form = 3", "beside = [3]"], ids=["form", "number", "list"]
)
def test_tables_of_other_forms_are_refused(entry: str) -> None:
    with pytest.raises(InputError, match="is not a suite"):
        suites.parse(SUITE.replace('form = "benchmarks"', entry), "odd")


@pytest.mark.parametrize("name", bench.shipped())
def test_figures_of_a_suite_that_ships_are_those_of_its_records(name: str) -> None:
    """Each figure and target that a suite names is in the record of some job of it."""
    folder = Path(__file__).parents[2] / "results" / "experiments"
    suite, results = bench.load(name), Results(folder)
    records = [record for job in suite.jobs() if (record := results.of(job)) is not None]
    if not records:
        pytest.skip("it was not run yet")
    measured = {figure for record in records for figure in record.facts.figures}
    reported = {figure for entry in suite.reported for figure in entry}
    assert suite.figures.keys() <= measured | reported
    settings = {*suite.table.rows, suite.table.columns}
    assert all(entry.keys() - settings <= measured for entry in suite.targets)


@pytest.mark.parametrize(
    "name",
    [
        "detecting-1-thresholds",
        "detecting-4-few-levels",
        "media-1-pairs",
        "media-2-messages",
        "robust-2-outlasting",
        "speed-1-rates",
        "speed-2-kodak",
        "speed-6-search",
        "speed-9-sharing",
        "speed-14-five-secrets",
        "speed-22-choosing",
    ],
)
def test_the_short_form_of_a_suite_runs_without_data(name: str, tmp_path: Path) -> None:
    suite, results = bench.load(name), Results(tmp_path)
    jobs = suite.jobs(quick=True)[:2]
    assert bench.run(jobs, results, None) == 0
    measured = {
        each for job in jobs if (record := results.of(job)) for each in record.facts.figures
    }
    assert measured & suite.figures.keys()
    assert bench.sections([suite], results, quick=True)[0].table.lines


def test_the_limit_of_changes_by_one_level_is_that_of_their_entropy() -> None:
    every = 3 * math.log2(3)  # bits a pixel: a third of the samples up, down, and left alone
    assert limit_psnr_db(every) == pytest.approx(10 * math.log10(255**2 * 3 / 2))
    assert limit_psnr_db(1) > limit_psnr_db(2)


def test_a_median_is_timed_after_a_call_to_warm_up() -> None:
    calls: list[None] = []
    assert measuring.timed(3, lambda: calls.append(None)) >= 0
    assert len(calls) == 4


def test_a_command_is_measured() -> None:
    done = measuring.command("--version")
    assert done.seconds > 0
    assert done.peak_megabytes > 1


def test_methods_of_other_packages_become_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untouched(data: object, cover: signals.Signal, settings: object, seed: int) -> Embedded:
        return Embedded(signals.to_samples(cover), {"seconds": 0.0, "wrong_percent": 50.0})

    def nothing(data: object, images: list[signals.Signal], settings: object) -> Exchange:
        cover, *secrets = map(signals.to_samples, images)
        return Exchange(cover, [cover for _ in secrets])

    monkeypatch.setitem(EMBEDDERS._loaded, "none", untouched)
    monkeypatch.setitem(EMBEDDERS._ours, "none", untouched)
    monkeypatch.setitem(HIDERS._loaded, "none", nothing)
    monkeypatch.setitem(HIDERS._ours, "none", nothing)
    where: dict[str, Setting] = {"dataset": "photographs", "resolution": 24, "method": "none"}
    jobs = [Job("embedding", where), Job("hiding", {**where, "secrets": 1})]
    results = Results(tmp_path)
    assert bench.run(jobs, results, None) == 0
    embedded, hidden = map(results.of, jobs)
    assert embedded is not None
    assert embedded.facts.figures["wrong_percent"] == 50
    assert hidden is not None
    assert hidden.facts.figures["stego_rmse"] == 0


def test_methods_that_are_not_known_are_refused(tmp_path: Path) -> None:
    for registry in (EMBEDDERS, EXPERIMENTS, HIDERS):
        with pytest.raises(ConfigError):
            registry.find("no such")
    job = Job("damaging", {"dataset": "photographs", "method": "LSB", "resolution": 16})
    results = Results(tmp_path)
    bench.run([job], results, None)
    record = results.of(job)
    assert record is not None
    assert record.error == "method LSB makes no field"
