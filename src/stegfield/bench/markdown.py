"""A report as Markdown pages: an overview, and one page for each suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from stegfield.bench.sections import (
    GLANCE,
    HEADS,
    LISTED,
    NOWHERE,
    TITLE,
    HtmlTable,
    Section,
    introduction,
)

OVERVIEW = "index.md"


def as_pages(sections: Sequence[Section], pictures: str, *, quick: bool) -> Mapping[str, str]:
    """Return the overview and the suites' pages, by the names of their files.

    Args:
        sections: One for each page.
        pictures: Path of the pictures, from the pages.
        quick: Whether to say that the short forms of the suites were run.
    """
    pages = {f"{section.name}.md": _page(section, pictures) for section in sections}
    return {OVERVIEW: _overview(sections, quick=quick)} | pages


def as_table(table: HtmlTable) -> list[str]:
    """Return the lines of a table."""
    left = [table.rows, table.lines_head] if table.named else [table.lines_head]
    verdicts = [""] if table.judged else []
    mark = "---:|" if table.judged else "---|"
    lines = [cells([*left, *table.heads, *verdicts])]
    lines.append("|" + "---|" * len(left) + mark * len(table.heads) + "---|" * len(verdicts))
    last = ""
    for line in table.lines:
        row = [line.row if line.row != last else ""] if table.named else []
        verdict = [line.verdict] if verdicts else []
        lines.append(cells([*row, line.figure, *line.cells.values(), *verdict]))
        last = line.row
    return lines


def cells(texts: Sequence[str]) -> str:
    """Return a row of cells."""
    return f"| {' | '.join(map(_plain, texts))} |"


def _overview(sections: Sequence[Section], *, quick: bool) -> str:
    heads = [f"# {TITLE}", *introduction(quick=quick), f"## {GLANCE}"]
    glance = [cells(HEADS), "|---|---|---:|---:|"]
    glance += [f"| {_link(section)} {cells(section.glance)}" for section in sections]
    behind = [
        line
        for section in sections
        if section.behind
        for line in (f"- {_link(section)}", *(f"    - {_plain(row)}" for row in section.behind))
    ]
    parts = [*heads, "\n".join(glance), f"## {LISTED}", "\n".join(behind) or NOWHERE]
    return "\n\n".join(parts) + "\n"


def _page(section: Section, pictures: str) -> str:
    parts = [f"# {_plain(section.title)}"]
    parts += [f"*{section.source}*"] if section.source else []
    parts += [" ".join(section.about.split()), "\n".join(as_table(section.table))]
    parts += [*map(_plain, section.left_out), _plain(section.run)]
    parts += chain.from_iterable(
        (f"![{_plain(each.about)}]({pictures}/{each.name})", f"*{_plain(each.about)}*")
        for each in section.drawn
    )
    return "\n\n".join(parts) + "\n"


def _link(section: Section) -> str:
    return f"[{_plain(section.title)}]({section.name}.md)"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")
