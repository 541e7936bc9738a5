"""Suites, results and the report: what is read, kept, resumed and shown."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stegfield import bench, cli, signals
from stegfield.bench import suites
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.peers.lsb import lsb
from stegfield.bench.peers.stegainr import stegainr
from stegfield.bench.results import PICTURES, RESULTS, Findings, Results, write_picture
from stegfield.errors import ConfigError, InputError
from stegfield.jobs import Entry, Job, JobProgress, on_ray
from stegfield.metrics import psnr_db

SUITE = """
title = "Rates"
source = "a paper, Table 1"
about = "Two photographs."
experiment = "embedding"
[settings]
dataset = "photographs"
resolution = 48
[vary]
rate = [1, 2]
method = ["ours", "ours, flat"]
[[skip]]
rate = 2
method = "ours, flat"
[quick]
vary = { rate = [1], method = ["ours"] }
[table]
rows = ["rate"]
[figures.psnr_db]
label = "PSNR"
better = "higher"
[figures.wrong_percent]
label = "wrong"
better = "lower"
[[charts]]
x = "rate"
y = "psnr_db"
[[reported]]
rate = 1
method = "theirs"
psnr_db = 99.5
wrong_percent = 0.5
"""


@pytest.fixture
def suite() -> suites.Suite:
    """A small suite whose jobs take a moment."""
    return suites.parse(SUITE, "rates")


def broken(name: str) -> Job:
    """A job that is run and fails."""
    return Job("embedding", {"dataset": "photographs", "rate": 1, "method": name, "resolution": 3})


def test_every_combination_is_a_job(suite: suites.Suite) -> None:
    jobs = suite.jobs()
    assert len({job.id for job in jobs}) == 3
    assert [(job.settings["rate"], job.settings["method"]) for job in jobs] == [
        (1, "ours"),
        (1, "ours, flat"),
        (2, "ours"),
    ]
    assert [job.settings["rate"] for job in suite.jobs(quick=True)] == [1]


def test_a_run_is_shown_and_not_run_again(suite: suites.Suite, tmp_path: Path) -> None:
    told: list[JobProgress[Findings]] = []
    results = Results(tmp_path)
    assert bench.run(suite.jobs(), results, None, watch=told.append) == 0
    assert [progress.done for progress in told] == [1, 2, 3]
    again = Results(tmp_path)
    assert len(again) == 3
    bench.run(suite.jobs(), again, None, watch=told.append)
    assert len(told) == 3
    html, overview, page = bench.write_report([suite], again)
    text = page.read_text()
    ours = again.of(suite.jobs()[0])
    assert ours is not None
    assert f"{ours.facts.figures['psnr_db']:.2f}" in text
    assert "| rate 1 | PSNR | 99.50\\* | " in text
    listed = overview.read_text()
    behind = f"rate 1: PSNR: ours: {ours.facts.figures['psnr_db']:.2f}; theirs, reported: 99.50"
    assert behind in listed
    assert "rate 1: wrong" not in text
    assert "3 jobs, one job behind each number: rate 1, 2; method ours, ours, flat; data" in text
    assert "| [Rates](rates.md) | a paper, Table 1 | 2 | 1 |" in listed
    assert f"(../{PICTURES}/rates-chart-0.png)" in text
    assert (tmp_path / PICTURES / "rates-chart-0.png").read_bytes().startswith(b"\x89PNG")
    shown = html.read_text()
    assert shown.count("data:image/png") == 1
    assert shown.count(">behind theirs, reported<") == 1
    assert "http" not in shown


SHOWN = """
title = "Damage"
experiment = "damaging"
[settings]
dataset = "photographs"
[vary]
image = [0]
method = ["ours", "ours, robust", "paper"]
[table]
rows = ["image"]
order = ["paper", "ours"]
beside = ["paper"]
[names]
image = "image {}"
"ours, robust" = "sturdy"
[pictures]
"pruning-*" = "pruned by {}"
[figures.accuracy_percent]
label = "accuracy"
better = "lower"
best = 50
[figures."noise 0.5 psnr_db"]
label = "noise"
better = "higher"
[[charts]]
x = "share"
y = "noise {} psnr_db"
title = "noise"
[[reported]]
image = 0
method = "theirs"
accuracy_percent = 40.125
"""


def test_a_suite_says_what_things_are_called_and_what_is_compared(tmp_path: Path) -> None:
    suite = suites.parse(SHOWN, "damage")
    results = Results(tmp_path)
    for at, job in enumerate(suite.jobs()):
        figures = {f"noise {share:g} psnr_db": 30 - share + at for share in (0.0, 0.5, 1.0)}
        names = [f"{job.id}-{name}.png" for name in ("pruning-ours", "other")]
        found = Findings({"accuracy_percent": 49.0 - at, **figures}, tuple(names))
        results.add(Entry.of(job, found))
        for name in names:
            write_picture(tmp_path, name, b"png")
    html, overview, markdown = (path.read_text() for path in bench.write_report([suite], results))
    assert (
        "| image | figure | the paper's, run here | ours | theirs, reported | sturdy |" in markdown
    )
    # beyond a coin's accuracy nothing is better, and what stands beside ours is not compared
    assert "| image 0 | accuracy | 47.00 | 49.00 | 40.13\\* | 48.00 |  |" in markdown
    assert "Nowhere" in overview.partition("## Where we fall behind")[2]
    assert markdown.count("pruned by ours") == 6  # as a picture and below it, for each job
    assert "other" not in markdown.partition("# Damage")[2]
    assert "damage-chart-0.png" in markdown
    assert html.count("data:image/png") == 4


def test_what_chance_explains_is_not_better(tmp_path: Path) -> None:
    shown = """
[figures.psnr_db]
label = "PSNR"
better = "higher"
digits = 1
tie = 0.5
[figures.p_e]
label = "P_E"
better = "higher"
digits = 2
interval = ["low", "high"]
"""
    start = SUITE.partition("[figures.psnr_db]")[0]
    theirs = '[[reported]]\nrate = 1\nmethod = "theirs"\npsnr_db = 99.5\np_e = 0.15\n'
    suite = suites.parse(start + shown + theirs, "rates")
    results = Results(tmp_path)
    figures = {"p_e": 0.125, "low": 0.1, "high": 0.2, "psnr_db": 99.2}
    for job in suite.jobs():
        results.add(Entry.of(job, Findings(figures)))
    _, overview, markdown = bench.write_report([suite], results)
    text = markdown.read_text()
    assert "| rate 1 | PSNR | 99.5\\* | 99.2 | 99.2 | level with theirs, reported |" in text
    assert "|  | P_E | 0.15\\* | 0.13 (0.10 to 0.20) | 0.13 (0.10 to 0.20) | level with" in text
    assert "Nowhere" in overview.read_text()
    with pytest.raises(InputError, match="an interval has two figures"):
        suites.parse(SUITE.replace('label = "PSNR"', 'label = "PSNR"\ninterval = ["low"]'), "rates")


def test_three_digits_of_a_reported_number_are_not_made_four(tmp_path: Path) -> None:
    text = SUITE.replace('label = "PSNR"', 'label = "PSNR"\ndigits = 4')
    suite = suites.parse(text, "rates")
    results = Results(tmp_path)
    for job in suite.jobs():
        results.add(Entry.of(job, Findings({"psnr_db": 60.0})))
    *_, markdown = bench.write_report([suite], results)
    assert "| 99.50\\* | 60.0000 |" in markdown.read_text()


def test_one_bad_job_does_not_stop_the_others(suite: suites.Suite, tmp_path: Path) -> None:
    results = Results(tmp_path)
    jobs = [broken("ours"), suite.jobs()[0]]
    assert bench.run(jobs, results, None) == 1
    bad, good = map(results.of, jobs)
    assert bad is not None
    assert bad.error
    assert good is not None
    assert good.error is None
    assert not results.done(jobs[0])  # tried again in the next run


def test_several_processes_give_what_one_gives(suite: suites.Suite, tmp_path: Path) -> None:
    jobs = suite.jobs()[:2]
    for workers in (1, 2):
        bench.run(jobs, Results(tmp_path / str(workers)), None, workers=workers)
    one, two = (Results(tmp_path / name) for name in ("1", "2"))
    for job in jobs:
        alone, beside = one.of(job), two.of(job)
        assert alone is not None
        assert beside is not None
        for name in ("message_bytes", "wrong_percent"):  # the rest depends on a random salt
            assert alone.facts.figures[name] == beside.facts.figures[name]


def test_a_lost_machine_of_a_cluster_loses_no_result(
    suite: suites.Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.chdir(tmp_path)
    cluster = Cluster()
    head, lost, _ = (cluster.add_node(num_cpus=cores) for cores in (0, 1, 1))
    assert head
    ray.init(address=cluster.address, log_to_driver=False)
    told: list[JobProgress[Findings]] = []

    def watch(progress: JobProgress[Findings]) -> None:
        told.append(progress)
        if progress.done == 1:  # while the others run
            cluster.remove_node(lost, allow_graceful=False)

    try:
        # from a folder named as it is seen from here
        failed = bench.run(
            suite.jobs(), Results(Path("out")), None, engine=on_ray, workers=2, watch=watch
        )
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert (failed, len(told)) == (0, 3)
    assert all(Results(tmp_path / "out").done(job) for job in suite.jobs())


def test_a_line_that_was_cut_off_is_passed_over(suite: suites.Suite, tmp_path: Path) -> None:
    job, other = suite.jobs()[:2]
    Results(tmp_path).add(Entry.of(job, Findings({"psnr_db": 3.0})))
    path = tmp_path / RESULTS
    path.write_bytes(path.read_bytes() + b'{"id": "half')
    cut = Results(tmp_path)
    assert cut.done(job)
    cut.add(Entry.of(other, Findings()))
    again = Results(tmp_path)  # nothing is left of the half line
    assert len(again) == 2
    assert again.done(other)


def test_figures_that_json_has_no_words_for_are_left_out(
    suite: suites.Suite, tmp_path: Path
) -> None:
    job = suite.jobs()[0]
    found = {"psnr_db": float("inf"), "wrong_percent": float("nan"), "seconds": 1.0}
    Results(tmp_path).add(Entry.of(job, Findings(found)))
    record = Results(tmp_path).of(job)
    assert record is not None
    assert record.facts.figures == {"psnr_db": None, "wrong_percent": None, "seconds": 1.0}


@pytest.mark.parametrize(
    "entry",
    [
        "[settings]\nx = nan",
        "[vary]\nx = [inf]",
        "[table]\nrows = [3]",
        "[table]\nrows = []\nours = 3",
        "[figures.x]\nlabel = 3",
        '[figures.x]\nlabel = "a"\ndigits = 2.5',
        '[figures.x]\nlabel = "a"\nbest = "2"',
        '[figures.x]\nlabel = "a"\nbetter = "up"',
        '[figures.x]\nlabel = "a"\nodd = 1',
        '[[charts]]\nx = "a"\ny = 3',
        '[[charts]]\nx = "a"\ny = "b"\nlogarithmic = 1',
    ],
)
def test_entries_of_other_types_are_refused_before_anything_is_run(entry: str) -> None:
    text = f'title = "a"\nexperiment = "embedding"\n{entry}\n'
    if "[table]" not in entry:
        text += '[table]\nrows = ["rate"]\n'
    with pytest.raises(InputError, match="is not a suite"):
        suites.parse(text, "odd")


@given(st.binary(max_size=300))
def test_any_file_of_results_is_read_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / RESULTS).write_bytes(data)
        with suppress(InputError):
            Results(Path(name))


@given(
    st.text(max_size=200)
    | st.just(SUITE).flatmap(
        lambda s: st.integers(0, len(s)).map(lambda cut: s[:cut] + s[cut + 9 :])
    )
)
def test_any_text_is_a_suite_or_refused(text: str) -> None:
    with suppress(InputError):
        suites.parse(text, "any")


@pytest.mark.parametrize("name", bench.shipped())
def test_suites_that_ship_name_experiments_and_their_settings(name: str) -> None:
    suite = bench.load(name)
    assert suite.title
    assert suite.about
    for quick in (False, True):
        jobs = suite.jobs(quick=quick)
        for job in jobs:
            bench.experiments.find(job.name, job.settings)
        for row in (*suite.table.rows, suite.table.columns):
            assert row in {*jobs[0].settings, "method", ""}


@pytest.mark.parametrize(
    "settings", [{"dataset": "photographs", "rat": 1}, {"rate": 1}], ids=["unknown", "missing"]
)
def test_settings_that_an_experiment_does_not_take(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError):
        bench.run([Job("embedding", settings)], Results(tmp_path), None)
    with pytest.raises(ConfigError):
        bench.run([Job("baking", {})], Results(tmp_path), None)


def test_as_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rates.toml").write_text(SUITE)
    assert cli.run(["report", "out", "--suite", "rates.toml"]) == 1
    assert cli.run(["bench", "rates.toml", "-o", "out", "--quick", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 0
    assert cli.run(["report", "out", "--suite", "rates.toml", "--quick"]) == 0
    assert "Rates" in Path("out/report/index.md").read_text()
    assert cli.run(["bench", "--list"]) == 0
    assert cli.run(["bench", "nothing"]) == 1
    assert cli.run(["bench", "rates.toml", "--data", "nowhere"]) == 2


def test_least_significant_bits_hide_the_upper_bits_of_others() -> None:
    random = np.random.default_rng(1)
    cover, *others = (random.integers(0, 256, (12, 9, 3), dtype=np.uint8) for _ in range(3))
    settings = HidingSettings(dataset="none")
    for count, bits in ((1, 4), (2, 2)):
        exchange = lsb(
            Datasets(None),
            [signals.from_samples(each) for each in (cover, *others[:count])],
            settings,
        )
        assert np.abs(exchange.stego.astype(int) - cover).max() < 16
        for secret, recovered in zip(others, exchange.recovered, strict=False):
            assert np.array_equal(recovered, secret >> (8 - bits) << (8 - bits))
    with pytest.raises(ConfigError):
        lsb(Datasets(None), [signals.from_samples(cover)] * 6, settings)


def test_a_secret_function_inside_a_stego_function_shows_the_secret() -> None:
    settings = HidingSettings(dataset="photographs", secrets=1, resolution=32, peer_steps=100)
    images = settings.images(bench.Datasets(None))
    cover, secret = map(signals.to_samples, images)
    exchange = stegainr(Datasets(None), images, settings)
    plain = np.full_like(secret, secret.mean().astype(np.uint8))
    assert psnr_db(secret, exchange.recovered[0]) > psnr_db(secret, plain) + 3
    assert psnr_db(cover, exchange.stego) > 14


FIELDS: dict[str, Any] = {
    "dataset": "photographs",
    "fields": 12,
    "resolution": 16,
    "width": 48,
    "depth": 2,
    "steps": 3,
}


def test_fields_are_judged_by_what_they_show_and_weigh(tmp_path: Path) -> None:
    jobs = [
        Job("showing", {**FIELDS, "method": "keyed", "against": "clean", "learning_steps": 2}),
        Job("weighing", {**FIELDS, "method": "keyed", "draw": False}),
    ]
    figures: list[Any] = []
    made: list[dict[Path, int]] = []

    def watch(done: JobProgress[Findings]) -> None:
        assert done.latest.error is None
        figures.append(done.latest.facts.figures)
        made.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/keyed/*")})

    assert bench.run(jobs, Results(tmp_path), None, watch=watch) == 0
    assert all(0 <= figures[0][f"{name}_auc"] <= 1 for name in ("fusion", "spam", "siamese"))
    assert all(0 <= figures[1][f"{name}_discriminant_auc"] <= 1 for name in ("all", "moments"))
    assert len(made[0]) == FIELDS["fields"]
    assert made[0] == made[1]  # the second job found the fields of the first
    assert not list(tmp_path.rglob("keyed"))  # all are done, so nobody goes on from them


def test_images_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "images" / "kodak").mkdir(parents=True)
    levels = np.zeros((40, 60, 3), np.uint8)
    levels[:, 6:54] = 255
    for name in ("b.png", "a.png"):
        Image.fromarray(levels).save(tmp_path / "images" / "kodak" / name)
    data = bench.Datasets(tmp_path)
    assert data.count("kodak") == 2
    assert data.image("kodak", 3).size == (40, 60)
    square = signals.to_samples(data.image("kodak", 0, 10))
    assert square.shape == (10, 10, 3)
    assert square.min() > 200  # but for the filter, which sees a little of what was cut off
    for name in ("celeba", "div2k", "nothing"):
        with pytest.raises(InputError):
            data.image(name, 0)
    with pytest.raises(InputError):
        bench.Datasets(None).image("kodak", 0)


def test_a_folder_that_cannot_be_looked_into_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(InputError, match=r"results\.jsonl cannot be read: Permission denied"):
        Results(tmp_path)
