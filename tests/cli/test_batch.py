from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cyclopts import CycloptsError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stegfield import cli
from stegfield.cli.binding import bind
from stegfield.cli.job_files import read_jobs, words
from stegfield.cli.performing import BATCH, perform
from stegfield.errors import ConfigError, InputError, OutputError, StegfieldError
from stegfield.jobs import Job, Ledger, apart, on_ray
from stegfield.jobs.ledger import digests
from stegfield.keys import Key, KeyFile

TOML = """
[all]
key = "alice.key"

[[jobs]]
command = "embed"
cover = "photos/*.png"
message = "letter.txt"
output = "stego/{name}.png"
flat = true
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("stego").mkdir()
    random = np.random.default_rng(0)
    for name in ("one", "two", "three"):
        Image.fromarray(random.integers(60, 180, (40, 40, 3), np.uint8)).save(f"photos/{name}.png")
    Path("letter.txt").write_bytes(b"Dear Bob")
    Path("alice.key").write_bytes(KeyFile(Key(bytes(range(32)))).to_bytes())
    Path("jobs.toml").write_text(TOML)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    code = cli.run(["batch", *arguments, "--json"])
    captured = capsys.readouterr()
    assert captured.out, captured.err
    facts: dict[str, object] = json.loads(captured.out)
    return facts | {"code": code}


def test_each_file_is_a_job_and_done_ones_are_not_run_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(capsys, "jobs.toml") == {"jobs": 3, "done": 3, "kept": 0, "failed": {}, "code": 0}
    assert sorted(path.name for path in Path("stego").iterdir()) == [
        "one.png",
        "three.png",
        "two.png",
    ]
    back = 'command,stego,output,key\nextract,"stego/*.png",back-{number}.txt,alice.key\n'
    Path("back.csv").write_text(back)
    assert cli.run(["batch", "back.csv"]) == 0
    assert [Path(f"back-{at}.txt").read_bytes() for at in (1, 2, 3)] == [b"Dear Bob"] * 3
    assert {Path(f"back-{at}.txt").stat().st_mode & 0o777 for at in (1, 2, 3)} == {0o600}
    Path("stego/two.png").unlink()
    assert told(capsys, "jobs.toml")["kept"] == 2
    lines = [json.loads(line) for line in Path("jobs.jsonl").read_text().splitlines()]
    entries = [line for line in lines if "id" in line]
    assert [line["begun"] for line in lines if "begun" in line] == [each["id"] for each in entries]
    assert len(entries) == 4
    assert all(entry["result"]["psnr_db"] > 50 for entry in entries)


def test_one_bad_job_does_not_stop_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos/two.png").write_bytes(b"no image")
    Path("stego/three.png").write_bytes(b"here before")
    facts = told(capsys, "jobs.toml")
    assert (facts["code"], facts["done"]) == (StegfieldError.exit_code, 1)
    assert set(facts["failed"]) == {"job 1 (photos/two.png)", "job 1 (photos/three.png)"}  # type: ignore[call-overload]
    assert Path("stego/three.png").read_bytes() == b"here before"
    Path("stego/three.png").unlink()
    assert told(capsys, "jobs.toml")["done"] == 1  # only what failed is tried again


def test_what_was_read_from_another_file_is_done_again(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "jobs.toml")
    Path("letter.txt").write_bytes(b"Dear Carol")
    facts = told(capsys, "jobs.toml")
    assert (facts["kept"], facts["done"]) == (0, 0)  # and nothing is overwritten
    text = Path("jobs.toml").read_text().replace("flat = true", "force = true")
    Path("jobs.toml").write_text(text)
    assert told(capsys, "jobs.toml")["done"] == 3


def test_a_table_tells_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["batch", "jobs.toml", "--workers", "2"]) == 0
    said = capsys.readouterr().err
    assert "seconds a job" in said
    assert "embed" in said
    assert cli.run(["batch", "jobs.toml"]) == 0
    assert "3 jobs were done in an earlier run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[jobs]]\ncommand = 'dance'", "job 1: the command is one of"),
        ("[[jobs]]\ncommand = 'extract'\nstego = 'a.png'\noutput = 'b'", "there is no key"),
        ("[all]\nkey = 'k'\n[[jobs]]\ncommand = 'embed'\ncover = 'photos/one.png'", "job 1: "),
        ("[all]\nkey = 'k'\n[[jobs]]\ncommand = 'reveal'\nfield = '*.x'", "no file matches"),
        ("[[jobs]]\ncommand = 'fit'\ncover = 'a'\noutput = 'b'\nshape = 3", "job 1: "),
        ("[[jobs]]\ncommand = 'fit'\ncover = 'a'\noutput = 'b'\njson = true", "has no --json"),
        ("jobs = 3", "other entries"),
        ("jobs = [3]", "job 1 of"),
        ("", "has no jobs"),
        ("[[jobs]", "is not TOML"),
    ],
)
def test_a_mistake_is_told_before_anything_is_run(text: str, words: str) -> None:
    Path("bad.toml").write_text(text)
    with pytest.raises(InputError, match=re.escape(words)):
        read_jobs(Path("bad.toml"))
    assert cli.run(["batch", "bad.toml"]) == InputError.exit_code
    assert not Path("bad.jsonl").exists()


def test_two_jobs_do_not_write_one_file() -> None:
    Path("jobs.toml").write_text(TOML.replace("{name}", "same"))
    with pytest.raises(OutputError, match="write the same file"):
        read_jobs(Path("jobs.toml"))


def test_a_job_does_not_read_what_another_writes() -> None:
    Path("jobs.toml").write_text(
        TOML
        + """
[[jobs]]
command = "extract"
stego = "./stego/one.png"
output = "letter-again.txt"
"""
    )
    with pytest.raises(OutputError, match=r"job 2 reads ./stego/one.png, which job 1 .* writes"):
        read_jobs(Path("jobs.toml"))


@pytest.mark.parametrize("output", ["jobs.jsonl", "stego/../jobs.jsonl", "all/jobs.jsonl"])
def test_a_job_does_not_write_where_results_go(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("all").symlink_to(".")
    job = "[[jobs]]\ncommand = 'extract'\nstego = 'a.png'\nkey = 'alice.key'\n"
    Path("jobs.toml").write_text(f"{job}output = '{output}'")
    with pytest.raises(OutputError, match=r"job 1 writes jobs.jsonl, the file of results"):
        read_jobs(Path("jobs.toml"), Path("jobs.jsonl"))
    assert cli.run(["batch", "jobs.toml"]) == OutputError.exit_code
    assert cli.run(["batch", "jobs.toml", "-o", "jobs.toml"]) == OutputError.exit_code
    assert "jobs.toml is the file of jobs" in capsys.readouterr().err
    assert Path("jobs.toml").read_text().startswith(job)
    Path("jobs.toml").write_text(f"{job}output = 'all/jobs.toml'")
    with pytest.raises(OutputError, match=r"job 1 writes jobs.toml, the file of jobs"):
        read_jobs(Path("jobs.toml"))


def test_a_job_does_not_read_the_results() -> None:
    Path("jobs.toml").write_text(TOML.replace("letter.txt", "./results"))
    with pytest.raises(OutputError, match="reads results, the file of results"):
        read_jobs(Path("jobs.toml"), Path("results"))


@pytest.mark.parametrize("data", [b"AAAA", b"[]", b'{"led', b'{"of": 3}', bytes(50)])
def test_results_do_not_replace_a_file_of_another_kind(
    data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine").write_bytes(data)
    code = cli.run(["batch", "jobs.toml", "-o", "mine"])
    if b'{"ledger":'.startswith(data):  # a first line that was cut off
        assert code == 0
        return
    assert code == InputError.exit_code
    assert "mine is not a file of results of a batch" in capsys.readouterr().err
    assert Path("mine").read_bytes() == data
    assert not list(Path("stego").iterdir())


def test_folders_are_missed_before_anything_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("jobs.toml").write_text(TOML.replace("stego/", "nowhere/"))
    assert cli.run(["batch", "jobs.toml"]) == OutputError.exit_code
    assert "the folder nowhere does not exist" in capsys.readouterr().err
    Path("jobs.toml").write_text(TOML)
    assert cli.run(["batch", "jobs.toml", "-o", "nowhere/results"]) == OutputError.exit_code
    assert not list(Path("stego").iterdir())


@pytest.mark.parametrize(
    "job",
    [
        "command = 'hide'\ncover = 'photos/one.png'\nsecret = ['photos/two.png']",
        "command = 'hide'\ncover = 'photos/one.png'\nsecret = 'photos/two.png'",
        "command = 'generate'\nmodel = 'digits'\nmessage = 'letter.txt'",
    ],
)
def test_nobody_is_asked_for_a_key(job: str) -> None:
    Path("jobs.toml").write_text(f"[[jobs]]\n{job}\noutput = 'a.png'")
    with pytest.raises(InputError, match="there is no key"):
        read_jobs(Path("jobs.toml"))


def test_keys_that_slots_are_written_into_are_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "[[jobs]]\ncommand = 'hide'\ncover = 'photos/one.png'\noutput = 'f.safetensors'\n"
        "secret = [['photos/two.png', 'new.key']]\nslots = 'magnitude'\nsteps = 3\n"
        "sizes = 'width=16,depth=2'\n"
    )
    Path("jobs.toml").write_text(text)
    (job,) = read_jobs(Path("jobs.toml"))
    assert list(job.writes) == [Path("f.safetensors"), Path("new.key")]
    assert told(capsys, "jobs.toml")["done"] == 1
    assert told(capsys, "jobs.toml")["kept"] == 1
    Path("jobs.toml").write_text(text + text.replace("f.safe", "g.safe"))
    with pytest.raises(OutputError, match=r"write the same file: new.key"):
        read_jobs(Path("jobs.toml"))


@pytest.mark.parametrize("output", ["photos/stego-{name}.png", "photos/{number}.png"])
def test_what_a_batch_wrote_is_not_its_input_the_next_time(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("jobs.toml").write_text(TOML.replace("stego/{name}.png", output))
    assert told(capsys, "jobs.toml")["done"] == 3
    again = {"jobs": 3, "done": 0, "kept": 3, "failed": {}, "code": 0}
    assert told(capsys, "jobs.toml") == again


def test_a_batch_has_no_stdin() -> None:
    Path("jobs.toml").write_text(TOML.replace("letter.txt", "-"))
    with pytest.raises(InputError, match="no stdin"):
        read_jobs(Path("jobs.toml"))


def test_cells_are_flags_and_lists_as_in_toml() -> None:
    Path("jobs.csv").write_text(
        "command,cover,field,output,secret,force\n"
        "hide,photos/one.png,,one.safetensors,\"[['photos/two.png', 'alice.key']]\",true\n"
        "render,,a.safetensors,[a.png,,false\n"
    )
    first, second = read_jobs(Path("jobs.csv"))
    assert words(first)[2:] == [
        "--secret",
        "photos/two.png",
        "alice.key",
        "--force",
        "--json",
        "--",
        "photos/one.png",
    ]
    assert words(second) == ["render", "--output=[a.png", "--json", "--", "a.safetensors"]


def test_rows_of_other_lengths_are_refused() -> None:
    Path("bad.csv").write_text("command,cover\nfit,a,b\n")
    with pytest.raises(InputError, match="row 2 of bad"):
        read_jobs(Path("bad.csv"))


def test_secrets_are_lists_of_an_image_and_its_key() -> None:
    Path("jobs.toml").write_text(
        "[[jobs]]\ncommand = 'hide'\ncover = 'photos/one.png'\noutput = 'f.safetensors'\n"
        "secret = [['photos/two.png', 'alice.key'], ['photos/three.png', 'bob.key']]\nsteps = 3\n"
    )
    Path("bob.key").write_bytes(KeyFile(Key(bytes(range(1, 33)))).to_bytes())
    (job,) = read_jobs(Path("jobs.toml"))
    assert words(job).count("--secret") == 2
    assert perform(job).result["field"] == "f.safetensors"
    assert Path("f.safetensors").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(), st.sampled_from([".toml", ".csv"]))
def test_any_text_is_a_file_of_jobs_or_refused(text: str, suffix: str) -> None:
    path = Path(f"any{suffix}")
    path.write_text(text, encoding="utf-8", newline="")
    with contextlib.suppress(InputError, OutputError, ConfigError):
        assert read_jobs(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary())
def test_any_file_of_results_is_read_or_refused(data: bytes) -> None:
    Path("any.jsonl").write_bytes(data)
    with contextlib.suppress(InputError):
        Ledger(Path("any.jsonl"), BATCH)


@contextlib.contextmanager
def ray_cluster() -> Iterator[None]:
    """A cluster of two workers on this machine, which talks to nobody else."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    try:
        yield
    finally:
        ray.shutdown()


def square(number: int, again: bool) -> int:
    """Give the square; die at the first try of 3."""
    mark = Path(os.environ["STEGFIELD_TEST_MARK"])
    if number == 3 and not mark.exists():
        mark.touch()
        os._exit(1)
    return number * number


def minus(number: int, reason: str) -> int:
    assert reason
    return -number


@pytest.mark.parametrize("engine", [apart, on_ray])
def test_a_lost_worker_loses_no_result(
    engine: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEGFIELD_TEST_MARK", str(tmp_path / "died"))
    home = Path(__file__).parents[2]
    monkeypatch.syspath_prepend(home)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(home), str(home / "src")]))  # Ray's
    assert callable(engine)
    with ray_cluster() if engine is on_ray else contextlib.nullcontext():
        assert sorted(engine([1, 2, 3, 4], square, minus, 2)) == [1, 4, 9, 16]


def test_jobs_run_on_ray(capsys: pytest.CaptureFixture[str]) -> None:
    with ray_cluster():
        facts = told(capsys, "jobs.toml", "--engine", "ray", "--workers", "2")
    assert facts == {"jobs": 3, "done": 3, "kept": 0, "failed": {}, "code": 0}


ODD = ("one.png", "a b=c.png", "-x.png", "--json", "@words", "{name}", "~/x", "", ".hidden", "ü")


@settings(deadline=None)
@given(
    st.sampled_from(["embed", "extract", "fit", "reveal", "render", "hide"]),
    st.lists(st.sampled_from(ODD) | st.text(max_size=6), min_size=4, max_size=4),
    st.booleans(),
)
def test_a_job_is_bound_as_its_command_line_would_be(
    command: str, names: list[str], forced: bool
) -> None:
    settings = dict(zip(("key", "output"), names, strict=False)) | {"force": forced}
    settings |= dict(zip(positional(command), names[2:], strict=False))
    if command == "hide":
        settings.pop("key")
    for _ in range(2):  # the second time, nothing is parsed
        job = Job(command, settings)
        try:
            wanted = cli.app.parse_args(words(job), exit_on_error=False, print_error=False)[:2]
        except (CycloptsError, StegfieldError) as refused:
            with pytest.raises(type(refused)):
                bind(job, words)
        else:
            function, bound = bind(job, words)
            assert (function, bound.args, bound.kwargs) == (
                wanted[0],
                wanted[1].args,
                wanted[1].kwargs,
            )


def positional(command: str) -> list[str]:
    function = cli.app[command].default_command
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]


def test_a_job_knows_what_it_reads_and_writes() -> None:
    Path("jobs.toml").write_text(TOML.replace("*", "one").replace("{name}", "one"))
    (job,) = read_jobs(Path("jobs.toml"))
    assert job.writes == (Path("stego/one.png"),)
    assert set(digests(job, b"")) == {"photos/one.png", "letter.txt", "alice.key"}


def test_the_results_of_a_batch_are_for_their_owner_and_tell_no_digest_that_others_can_make(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told(capsys, "jobs.toml")
    assert Path("jobs.jsonl").stat().st_mode & 0o777 == 0o600
    first = Path("jobs.jsonl").read_text()
    read = ("letter.txt", "alice.key", "photos/one.png")
    for name in read:
        data = Path(name).read_bytes()
        for digest in (hashlib.sha256(data), hashlib.blake2b(data, digest_size=16)):
            assert digest.hexdigest()[:32] not in first
    for path in (Path("jobs.jsonl"), *Path("stego").iterdir()):
        path.unlink()
    told(capsys, "jobs.toml")
    inputs = [
        next(filter(None, (json.loads(line).get("inputs") for line in text.splitlines())))
        for text in (first, Path("jobs.jsonl").read_text())
    ]
    assert inputs[0].keys() == inputs[1].keys()
    assert not set(inputs[0].values()) & set(inputs[1].values())


def test_results_of_the_first_version_are_refused_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = '{"id": "0123456789abcdef", "where": "job 1", "arguments": ["embed"], "inputs": {}}\n'
    Path("jobs.jsonl").write_text(line)
    assert cli.run(["batch", "jobs.toml"]) == InputError.exit_code
    assert "results of a batch of stegfield 0.1" in capsys.readouterr().err
    assert Path("jobs.jsonl").read_text() == line


def test_a_file_may_be_named_like_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("-dash.png", "--force.png", "--output=x.png")
    for path, name in zip(Path("photos").iterdir(), names, strict=True):
        path.rename(name)
    Path("letter.txt").rename("-letter")
    Path("alice.key").rename("--key")
    Path("jobs.toml").write_text(
        "[all]\nkey = '--key'\n"
        "[[jobs]]\ncommand = 'embed'\ncover = '-*.png'\nmessage = '-letter'\noutput = '{name}.bmp'"
    )
    assert told(capsys, "jobs.toml")["done"] == 3
    Path("back.toml").write_text(
        "[[jobs]]\ncommand = 'extract'\nstego = '-*.bmp'\nkey = '--key'\noutput = '{name}'\n"
        "[[jobs]]\ncommand = 'hide'\ncover = '-dash.png'\nsteps = 3\noutput = '-f.safetensors'\n"
        "secret = [['--output=x.png', '--key'], ['--force.png', '-bob.key']]"
    )
    Path("-bob.key").write_bytes(KeyFile(Key(bytes(range(1, 33)))).to_bytes())
    facts = told(capsys, "back.toml")
    assert (facts["done"], facts["failed"]) == (4, {})
    assert all(Path(name).with_suffix("").read_bytes() == b"Dear Bob" for name in names)
    assert Path("-f.safetensors").exists()


def test_a_file_that_is_taken_for_an_option_is_told_how_to_be_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("photos/one.png").rename("-dash.png")
    command = ["embed", "-dash.png", "letter.txt", "-o", "a.png", "--key", "alice.key"]
    assert cli.run(command) == 2
    assert "hint: a file of this name is written ./-dash.png" in (capsys.readouterr().err)
    command[1] = "./-dash.png"
    assert cli.run(command) == 0


@pytest.mark.parametrize("name", ["output", "grid", "plot", "checkpoint"])
def test_an_output_is_one_file(name: str) -> None:
    Path("jobs.toml").write_text(f"{TOML.replace('output', 'out')}{name} = ['a.png', 'b.png']")
    with pytest.raises(InputError, match=f"{name} is one file"):
        read_jobs(Path("jobs.toml"))


def test_progress_is_told_in_lines_where_no_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.watching.FIRST_LINE", 0.0)
    Path("jobs.toml").write_text(TOML)
    assert cli.run(["batch", "jobs.toml"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if " jobs, " in line]
    found = re.fullmatch(r"(\d+)%: (\d+) of (\d+) jobs, 0 failed, \d+ s left", lines[0])
    assert found is not None
    share, done, jobs = map(int, found.groups())
    assert (done, share) == (1, round(100 / jobs))
