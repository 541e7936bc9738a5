"""Pages: sections of a report as one HTML page with all pictures inside, and as Markdown."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

BEHIND = "behind"
TITLE = "What was measured"
HEAD = (
    """Each section is a table or a figure of a paper, which it names, as it came out here. Its
columns are methods. A column that says “reported”, and every number with a star, is what others
report of theirs, measured by them on images of theirs; all else was run here, each method on the
same images. “The paper's, run here” is our own implementation of the procedure that the paper
describes. Those without such words are ours.""",
    """A number is the mean over the images; the line “Run” tells how many, and every setting. PSNR,
in decibels, and SSIM, up to 1, tell how like two images are: higher is more alike. MAE and RMSE are
mean and root mean square errors in levels of 0 to 255. A detector's AUC is 0.5 and its accuracy
50 % where it guesses like a coin; its least average error P_E is then 0.5.""",
    """Where another column is better than ours, the row is marked “behind” and the better
numbers are coloured; all such rows are listed first.""",
)
QUICK = """This is the short form: few images, few steps. It shows that everything runs, not how
well it does."""
NOWHERE = "Nowhere, by these figures."
LISTED = "Where we fall behind"
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#222}
p,ul{max-width:52rem}
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right;vertical-align:top}
td{white-space:nowrap}thead th{border-bottom:2px solid #888;max-width:9rem}
.row,.figure{text-align:left}tbody th{font-weight:600;border-right:1px solid #ddd}
tbody .row{min-width:8rem}.better{color:#b03000;font-weight:600}
.drawn{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(30rem,100%),1fr));gap:1.5rem}
figure{margin:0}img{max-width:100%;min-width:min(100%,24rem)}
figcaption,.source,.run{color:#666}.run{font-size:.85rem}
@media (prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}
th,td,tbody th{border-color:#333}.better{color:#ff9060}figcaption,.source,.run{color:#999}}
"""


@dataclass(frozen=True)
class Line:
    """A row of a table: a figure of one combination of settings."""

    row: str
    """The settings; lines of one row follow one another."""
    figure: str
    cells: Mapping[str, str]
    """By the heads of their columns."""
    ours: str
    """The head of our column."""
    better: Sequence[str]
    """The heads of those that are better."""

    @property
    def label(self) -> str:
        """Name the line by itself."""
        return f"{self.row}: {self.figure}" if self.row else self.figure


@dataclass(frozen=True)
class Table:
    """Cells as text."""

    rows: str
    """What stands in the rows; nothing if there is one."""
    heads: Sequence[str]
    lines: Sequence[Line]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture: its file's name, what it shows, and the PNG."""

    name: str
    about: str
    png: bytes


@dataclass(frozen=True, eq=False)
class Section:
    """What a suite came to."""

    name: str
    title: str
    source: str
    about: str
    run: str
    table: Table
    charts: list[Drawn] = field(default_factory=list)
    pictures: list[Drawn] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def drawn(self) -> list[Drawn]:
        """Give the charts, then the pictures."""
        return [*self.charts, *self.pictures]

    @property
    def behind(self) -> list[str]:
        """Tell of every line in which another column is better than ours."""
        return [
            f"{line.label}: "
            + "; ".join(f"{head}: {line.cells[head]}" for head in (line.ours, *line.better))
            for line in self.table.lines
            if line.better
        ]


def as_html(sections: Sequence[Section], *, quick: bool) -> str:
    """Give one page that needs no other file."""
    parts = [f"<h1>{TITLE}</h1>", *(f"<p>{html.escape(text)}</p>" for text in _head(quick))]
    parts.append(f"<h2>{LISTED}</h2>")
    listed = [
        f'<li><a href="#{html.escape(section.name)}">{html.escape(section.title)}</a><ul>'
        + "".join(f"<li>{html.escape(line)}</li>" for line in section.behind)
        + "</ul></li>"
        for section in sections
        if section.behind
    ]
    parts.append(f"<ul>{''.join(listed)}</ul>" if listed else f"<p>{NOWHERE}</p>")
    for section in sections:
        parts += [
            f'<h2 id="{html.escape(section.name)}">{html.escape(section.title)}</h2>',
            f'<p class="source">{html.escape(section.source)}</p>' if section.source else "",
            f"<p>{html.escape(section.about)}</p>",
            _html_table(section.table),
            *(f"<p>{html.escape(line)}</p>" for line in section.left_out),
            f'<p class="run">{html.escape(section.run)}</p>',
            '<div class="drawn">' if section.drawn else "",
            *(
                f'<figure><img alt="{html.escape(each.about)}" '
                f'src="data:image/png;base64,{base64.b64encode(each.png).decode()}">'
                f"<figcaption>{html.escape(each.about)}</figcaption></figure>"
                for each in section.drawn
            ),
            "</div>" if section.drawn else "",
        ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>stegfield: {TITLE}</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _html_table(table: Table) -> str:
    named = any(line.row for line in table.lines)
    heads = [
        f'<th class="row">{html.escape(table.rows)}</th>' if named else "",
        '<th class="figure">figure</th>',
        *(f"<th>{html.escape(head)}</th>" for head in table.heads),
        "<th></th>",
    ]
    body = []
    for row, grouped in groupby(table.lines, key=lambda line: line.row):
        lines = list(grouped)
        for at, line in enumerate(lines):
            first = f'<th class="row" rowspan="{len(lines)}">{html.escape(row)}</th>'
            body.append(
                f"<tr>{first if named and at == 0 else ''}"
                f'<td class="figure">{html.escape(line.figure)}</td>'
                + "".join(
                    f"<td{' class=better' if head in line.better else ''}>{html.escape(cell)}</td>"
                    for head, cell in line.cells.items()
                )
                + f'<td class="better">{BEHIND if line.better else ""}</td></tr>'
            )
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def as_markdown(sections: Sequence[Section], pictures: str, *, quick: bool) -> str:
    """Give a page whose pictures lie in a folder beside it."""
    lines = [f"# {TITLE}", ""]
    for text in _head(quick):
        lines += [text, ""]
    lines += [f"## {LISTED}", ""]
    for section in sections:
        if section.behind:
            lines.append(f"- {_plain(section.title)}")
            lines += [f"    - {_plain(line)}" for line in section.behind]
    lines += [] if any(section.behind for section in sections) else [NOWHERE]
    for section in sections:
        lines += ["", f"## {_plain(section.title)}", ""]
        lines += [f"*{section.source}*", ""] if section.source else []
        lines += [" ".join(section.about.split()), "", *_markdown_table(section.table), ""]
        lines += [line for text in section.left_out for line in (_plain(text), "")]
        lines.append(_plain(section.run))
        for each in section.drawn:
            lines += ["", f"![{_plain(each.about)}]({pictures}/{each.name})"]
            lines += ["", f"*{_plain(each.about)}*"]
    return "\n".join(lines) + "\n"


def _markdown_table(table: Table) -> list[str]:
    named = any(line.row for line in table.lines)
    left = [table.rows, "figure"] if named else ["figure"]
    lines = [_cells([*left, *table.heads, ""])]
    lines.append("|" + "---|" * len(left) + "---:|" * len(table.heads) + "---|")
    last = ""
    for line in table.lines:
        told = f"{BEHIND} {', '.join(line.better)}" if line.better else ""
        row = [line.row if line.row != last else ""] if named else []
        lines.append(_cells([*row, line.figure, *line.cells.values(), told]))
        last = line.row
    return lines


def _cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, texts))} |"


def _head(quick: bool) -> list[str]:
    return [" ".join(text.split()) for text in (*HEAD, *([QUICK] if quick else []))]


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")
