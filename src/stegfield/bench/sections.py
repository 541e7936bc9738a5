"""Pages: sections of a report as one HTML page with all pictures inside, and as Markdown."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

BEHIND, LEVEL = "behind", "level with"
TITLE = "What was measured"
HEAD = (
    """Each section is a table or a figure of a paper, which it names, as it came out here. Its
columns are methods. A column that says “reported”, and every number with a star, is what others
report of theirs, measured by them on images of theirs; all else was run here, each method on the
same images. “The paper's, run here” is our own implementation of the procedure that the paper
describes. “Ours” is what `stegfield embed`, or `stegfield hide`, does without further options;
where an option was given, the column says so.""",
    """Embedding puts the bits of a message into an image's samples, at so many bits a pixel (bpp),
which has three samples: the cover becomes the stego. Hiding puts whole images into the weights of a
neural field: everyone sees the stego image, and a key's owner that key's secret. Some of the
weights, the slots, take other values for each key.""",
    """A number is the mean over the jobs that the line “Run” tells, with the settings of that line;
what it does not name is as in the experiment of that name. PSNR, in decibels, and SSIM (Gaussian
window of 11x11), up to 1, tell how like two images are: higher is more alike. MAE and RMSE are mean
and root mean square errors in levels of 0 to 255. A detector's AUC is 0.5 and its accuracy 50 %
where it guesses like a coin; its least average error P_E is then 0.5. Numbers in brackets bound a
95 % interval: Wilson's of a share, and of a P_E one that is bootstrapped by drawing whole
photographs with all their crops. Two cores that other work shares did all this: seconds, and what
was reached in a given number of seconds, depend on it, so rows of steps tell how far each run
came.""",
    """Where another column is better than ours, the row says that we are behind it, and the last
section lists all such rows; it says “level with” where the difference lies within the interval of
ours, or comes to less than a thousandth of SSIM, or to three images of those judged or fewer.
Variants of ours are not compared with it, nor are rows of which neither way is better, such as
sizes.""",
)
QUICK = """This is the short form: few images, few steps. It shows that everything runs, not how
well it does."""
NOWHERE = "Nowhere, by these figures."
GLANCE = "At a glance"
HEADS = ("experiment", "of", "rows compared", "behind in")
LISTED = "Where we fall behind"
LIST = "behind"
"""The anchor of that list."""
MANY = 6
"""Pictures of a section that are shown without being asked for."""
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#222}
p,ul{max-width:52rem}
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right;vertical-align:top}
td{white-space:nowrap}thead th{border-bottom:2px solid #888;max-width:9rem}
.row,.figure{text-align:left}tbody th{font-weight:600;border-right:1px solid #ddd}
tbody .row{min-width:8rem}.verdict{text-align:left;white-space:normal;min-width:12rem}
.better{color:#b03000;font-weight:600}
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
    level: Sequence[str] = ()
    """The heads of those that are better by no more than chance may do."""
    judged: bool = True
    """Whether there is something to compare ours with."""

    @property
    def label(self) -> str:
        """Name the line by itself."""
        return f"{self.row}: {self.figure}" if self.row else self.figure

    @property
    def verdict(self) -> str:
        """Name the columns that are ahead of ours."""
        told = {BEHIND: self.better, LEVEL: self.level}
        return "; ".join(f"{word} {', '.join(heads)}" for word, heads in told.items() if heads)


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

    @property
    def glance(self) -> list[str]:
        """Tell in few words: the source, how many rows are compared, in how many we are behind."""
        judged = sum(line.judged for line in self.table.lines)
        counts = [f"{judged:,}", f"{len(self.behind):,}"] if judged else ["", ""]
        return [self.source, *counts]


def as_html(sections: Sequence[Section], *, quick: bool) -> str:
    """Give one page that needs no other file."""
    parts = [f"<h1>{TITLE}</h1>", *(f"<p>{_prose(text)}</p>" for text in _head(quick))]
    parts.append(f"<h2>{GLANCE}</h2>{_html_glance(sections)}")
    listed = [
        f'<li><a href="#{html.escape(section.name)}">{html.escape(section.title)}</a><ul>'
        + "".join(f"<li>{html.escape(line)}</li>" for line in section.behind)
        + "</ul></li>"
        for section in sections
        if section.behind
    ]
    for section in sections:
        parts += [
            f'<h2 id="{html.escape(section.name)}">{html.escape(section.title)}</h2>',
            f'<p class="source">{html.escape(section.source)}</p>' if section.source else "",
            f"<p>{_prose(section.about)}</p>",
            _html_table(section.table),
            *(f"<p>{html.escape(line)}</p>" for line in section.left_out),
            f'<p class="run">{html.escape(section.run)}</p>',
            _html_drawn(section.charts),
            _html_drawn(section.pictures),
        ]
    parts.append(f'<h2 id="{LIST}">{LISTED}</h2>')
    parts.append(f"<ul>{''.join(listed)}</ul>" if listed else f"<p>{NOWHERE}</p>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>stegfield: {TITLE}</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _html_glance(sections: Sequence[Section]) -> str:
    rows = [
        f'<tr><th class="row"><a href="#{html.escape(section.name)}">{html.escape(section.title)}'
        f'</a></th><td class="figure">{html.escape(section.glance[0])}</td>'
        + "".join(f"<td>{text}</td>" for text in section.glance[1:])
        + "</tr>"
        for section in sections
    ]
    first, second, *others = HEADS
    heads = f'<th class="row">{first}</th><th class="figure">{second}</th>' + "".join(
        f'<th><a href="#{LIST}">{head}</a></th>' if head == HEADS[-1] else f"<th>{head}</th>"
        for head in others
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _html_drawn(drawn: Sequence[Drawn]) -> str:
    """Show pictures side by side; if they are many, on a click."""
    if not drawn:
        return ""
    figures = "".join(
        f'<figure><img alt="{html.escape(each.about)}" '
        f'src="data:image/png;base64,{base64.b64encode(each.png).decode()}">'
        f"<figcaption>{html.escape(each.about)}</figcaption></figure>"
        for each in drawn
    )
    shown = f'<div class="drawn">{figures}</div>'
    if len(drawn) <= MANY:
        return shown
    return f"<details><summary>{len(drawn)} pictures</summary>{shown}</details>"


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
                + f'<td class="verdict">{html.escape(line.verdict)}</td></tr>'
            )
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def as_markdown(sections: Sequence[Section], pictures: str, *, quick: bool) -> str:
    """Give a page whose pictures lie in a folder beside it."""
    lines = [f"# {TITLE}", ""]
    for text in _head(quick):
        lines += [text, ""]
    lines += [f"## {GLANCE}", "", _cells(HEADS), "|---|---|---:|---:|"]
    lines += [_cells([section.title, *section.glance]) for section in sections]
    for section in sections:
        lines += ["", f"## {_plain(section.title)}", ""]
        lines += [f"*{section.source}*", ""] if section.source else []
        lines += [" ".join(section.about.split()), "", *_markdown_table(section.table), ""]
        lines += [line for text in section.left_out for line in (_plain(text), "")]
        lines.append(_plain(section.run))
        for each in section.drawn:
            lines += ["", f"![{_plain(each.about)}]({pictures}/{each.name})"]
            lines += ["", f"*{_plain(each.about)}*"]
    lines += ["", f"## {LISTED}", ""]
    for section in sections:
        if section.behind:
            lines.append(f"- {_plain(section.title)}")
            lines += [f"    - {_plain(line)}" for line in section.behind]
    lines += [] if any(section.behind for section in sections) else [NOWHERE]
    return "\n".join(lines) + "\n"


def _markdown_table(table: Table) -> list[str]:
    named = any(line.row for line in table.lines)
    left = [table.rows, "figure"] if named else ["figure"]
    lines = [_cells([*left, *table.heads, ""])]
    lines.append("|" + "---|" * len(left) + "---:|" * len(table.heads) + "---|")
    last = ""
    for line in table.lines:
        row = [line.row if line.row != last else ""] if named else []
        lines.append(_cells([*row, line.figure, *line.cells.values(), line.verdict]))
        last = line.row
    return lines


def _cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, texts))} |"


def _head(quick: bool) -> list[str]:
    return [" ".join(text.split()) for text in (*HEAD, *([QUICK] if quick else []))]


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")
