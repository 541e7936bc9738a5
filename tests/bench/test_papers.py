from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stegfield import cli
from stegfield.bench import papers
from stegfield.bench.sections import HtmlTable, Line, Section
from stegfield.bench.suites import load, shipped

HOME = Path(__file__).parents[2]
RESULTS = HOME / "results" / "experiments"

texts = st.text(max_size=20)


def section(table: HtmlTable) -> Section:
    return Section("a-1", "Title", "", "", "", "", table)


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4))
def test_csv_reads_back_as_the_table(cells: list[tuple[str, str, str]]) -> None:
    lines = [
        Line(f"row {at}", figure, {"ours": one, 'a, "b"': other}, "ours", [])
        for at, (figure, one, other) in enumerate(cells)
    ]
    table = HtmlTable("set", ["ours", 'a, "b"'], lines)
    read = list(csv.reader(io.StringIO(papers.as_csv(table), newline="")))
    assert read[0] == ["set", "figure", "ours", 'a, "b"']
    assert read[1:] == [[line.row, line.figure, *line.cells.values()] for line in lines]


@given(st.text(alphabet="ab\\&%$#_{}~^*“”", max_size=12))
def test_no_special_character_of_latex_is_left(text: str) -> None:
    made = papers.as_latex(
        section(HtmlTable("", ["ours"], [Line("", "f", {"ours": text}, "", [])]))
    )
    cell = made.split("f & ")[1].split(r" \\")[0] if text else ""
    bare = re.sub(
        r"\\text(backslash|asciitilde|asciicircum)\{\}|\\textsuperscript\{\*\}|\\[&%$#_{}]",
        "",
        cell,
    )
    assert not set(bare) & set("\\&%$#_{}~^*“”")


def test_every_cited_paper_is_complete() -> None:
    entries = re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}", papers.sources(), re.S)
    assert len(entries) > 20
    assert len({key for _, key, _ in entries}) == len(entries)
    for kind, key, body in entries:
        fields = set(re.findall(r"^  (\w+) = ", body, re.M))
        assert {"author", "title", "year"} <= fields, key
        assert {"article": {"journal"}, "inproceedings": {"booktitle"}}.get(kind, set()) <= fields


def test_a_report_has_a_table_of_each_suite_for_a_paper(tmp_path: Path) -> None:
    shutil.copytree(RESULTS, tmp_path / "results")
    name = next(name for name in shipped() if load(name).figures)
    assert cli.run(["report", str(tmp_path / "results"), "--suite", name, "--csv", "--latex"]) == 0
    pages = tmp_path / "results" / "report"
    assert (pages / f"{name}.csv").read_text().count("\n") > 2
    assert rf"\label{{tab:{name}}}" in (pages / f"{name}.tex").read_text()
    assert (pages / "sources.bib").read_text() == papers.sources()
