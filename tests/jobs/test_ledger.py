"""The ledger: what it tells after any end, and what is refused."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield.bench.results import EXPERIMENTS
from stegfield.errors import InputError, OutputError
from stegfield.jobs import Entry, Job, Ledger, LedgerKind
from stegfield.jobs.ledger import digests

COMMITTED = Path(__file__).parents[2] / "results" / "experiments" / "results.jsonl"


@dataclass(frozen=True)
class Facts:
    found: Mapping[str, Any] = field(default_factory=dict)


OPEN = LedgerKind("a test", "task", Facts)
PRIVATE = replace(OPEN, private=True)
KINDS = pytest.mark.parametrize("kind", [OPEN, PRIVATE], ids=["open", "private"])
JOB = Job("bake", {"cakes": 2})


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.text(), st.dictionaries(st.text(), json_values), st.booleans())
def test_an_entry_is_read_as_it_was_added(name: str, found: dict[str, Any], lost: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger"
        job = Job(name, {"text": name}, where="here")
        told = Entry.of(
            job, Facts(found), seconds=0.5, error=name, hint="try", inputs={"a": "b"}, lost=lost
        )
        Ledger(path, PRIVATE).add(told)
        assert Ledger(path, PRIVATE).of(job) == told


def test_the_committed_results_are_read() -> None:
    ledger = Ledger(COMMITTED, EXPERIMENTS)
    assert len(ledger) > 280
    first = entries(COMMITTED)[0]
    entry = ledger.of(Job(first["experiment"], first["settings"]))
    assert entry is not None
    assert entry.facts.figures == first["figures"]


@KINDS
def test_a_line_that_was_cut_off_is_passed_over_and_dropped(
    kind: LedgerKind[Facts], tmp_path: Path
) -> None:
    path = tmp_path / "ledger"
    Ledger(path, kind).add(Entry.of(JOB, Facts({"kind": "first"})))
    whole = path.read_bytes()
    for cut in range(whole.rindex(b"\n", 0, -1) + 2 if kind.private else 1, len(whole)):
        path.write_bytes(whole[:cut])
        assert len(Ledger(path, kind)) == 0
    other = Job("fry", {})
    Ledger(path, kind).add(Entry.of(other, Facts()))
    assert [each["task"] for each in entries(path) if "task" in each] == ["fry"]


@KINDS
@given(data=st.binary(max_size=200))
def test_any_file_is_read_or_refused_and_then_left_alone(
    data: bytes, kind: LedgerKind[Facts]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger"
        path.write_bytes(data)
        with suppress(InputError):
            Ledger(path, kind)
        assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"id": "a", "task": "b"}', "line 1 of .* is not an entry of a test"),
        ('{"id": "a", "task": 3, "settings": {}, "seconds": 0, "error": null}', "line 1 of"),
        ('{"id": "a", "task": "b", "settings": [], "seconds": 0, "error": null}', "line 1 of"),
        ("some text", "not a file of results of a test"),
        ('{"ledger": "a test", "format": 2, "salt": ""}', "not a file of results of a test"),
    ],
)
def test_other_lines_are_refused(line: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=told):
        Ledger(path, OPEN)


@pytest.mark.parametrize("change", [{"ledger": "others"}, {"format": 3}, {"salt": "x"}])
def test_a_ledger_of_another_kind_or_format_is_refused(
    change: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "ledger"
    path.write_text(json.dumps({"ledger": "a test", "format": 2, "salt": "ab"} | change) + "\n")
    with pytest.raises(InputError, match="line 1 of"):
        Ledger(path, PRIVATE)


def test_a_run_has_its_ledger_alone(tmp_path: Path) -> None:
    ledger, other = (Ledger(tmp_path / "ledger", OPEN) for _ in range(2))
    with ledger.writing(), pytest.raises(OutputError, match="in use by another run"):
        other.writing().__enter__()
    with other.writing():
        other.add(Entry.of(JOB, Facts()))
    with ledger.writing():  # it knows what the other has done meanwhile
        assert ledger.done(JOB)


def test_runs_share_what_is_to_be_shared(tmp_path: Path) -> None:
    first, second = (Ledger(tmp_path / "ledger", replace(OPEN, shared=True)) for _ in range(2))
    with first.writing(), second.writing():
        for ledger, name in ((first, "a"), (second, "b"), (first, "c")):
            ledger.add(Entry.of(Job(name, {}), Facts()))
    assert len(Ledger(tmp_path / "ledger", OPEN)) == 3


def test_a_job_is_done_while_its_files_are_there_and_what_it_read_is_the_same(
    tmp_path: Path,
) -> None:
    read, written = tmp_path / "read", tmp_path / "written"
    read.write_text("a")
    written.touch()
    job = replace(JOB, reads=(str(read), "no file\0"), writes=(written,))
    ledger = Ledger(tmp_path / "ledger", PRIVATE)
    with ledger.writing():
        ledger.add(Entry.of(job, Facts(), inputs=digests(job, ledger.salt)))
    assert ledger.done(job)
    assert not ledger.done(replace(job, settings={"cakes": 3}))
    read.write_text("b")
    assert not ledger.done(job)
    read.write_text("a")
    written.unlink()
    assert not ledger.done(job)


def test_leftovers_are_files_that_were_not_there_when_a_job_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("before").touch()
    job = replace(JOB, writes=(Path("before"), Path("after")))
    path = Path("ledger").absolute()
    begun = Ledger(path, OPEN).begin(job)
    assert (begun.absent, begun.leftovers, begun.interrupted) == ((Path("after"),), (), False)
    Path("after").touch()
    again = Ledger(path, OPEN).begin(job)
    assert (again.absent, again.leftovers) == ((Path("after"),), (Path("after"),))
    assert again.interrupted
    # the same names elsewhere are other files
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    Path("after").touch()
    assert Ledger(path, OPEN).begin(job).leftovers == ()


@pytest.mark.parametrize("lost", [False, True])
def test_a_job_that_ended_has_no_leftovers_unless_its_process_died(
    lost: bool, tmp_path: Path
) -> None:
    job = replace(JOB, writes=(tmp_path / "out",))
    ledger = Ledger(tmp_path / "ledger", OPEN)
    ledger.begin(job)
    ledger.add(Entry.of(job, Facts(), error="failed", lost=lost))
    (tmp_path / "out").touch()
    leftovers = Ledger(tmp_path / "ledger", OPEN).begin(job).leftovers
    assert leftovers == (job.writes if lost else ())


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@KINDS
def test_a_private_ledger_is_its_owners(kind: LedgerKind[Facts], tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    before = os.umask(0o022)
    try:
        Ledger(path, kind).add(Entry.of(JOB, Facts()))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == (0o600 if kind.private else 0o644)


def test_jobs_are_named_by_what_they_do() -> None:
    assert JOB.id == Job("bake", {"cakes": 2}, where="elsewhere", writes=(Path("a"),)).id
    assert len({JOB.id, Job("bake", {"cakes": 3}).id, Job("fry", {"cakes": 2}).id}) == 3
    assert Job("embedding", {"b": 1, "a": 2.5}).id == Job("embedding", {"a": 2.5, "b": 1}).id
