"""A report as one HTML page with all pictures inside."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from itertools import groupby

from stegfield.bench.sections import (
    GLANCE,
    HEADS,
    LISTED,
    NOWHERE,
    TITLE,
    Drawn,
    HtmlTable,
    Line,
    Section,
    introduction,
)

LIST = "behind"
"""The anchor of the list of rows in which others are ahead."""
MANY = 6
"""Most pictures of a section that are shown without a click."""
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
.benchmarks th,.benchmarks td{text-align:left;white-space:normal;min-width:9rem}
figure{margin:0}img{max-width:100%;min-width:min(100%,24rem)}
figcaption,.source,.run{color:#666}.run{font-size:.85rem}
@media (prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}
th,td,tbody th{border-color:#333}.better{color:#ff9060}figcaption,.source,.run{color:#999}}
"""


def as_html(sections: Sequence[Section], *, quick: bool) -> str:
    """Return one page that needs no other file."""
    parts = [f"<h1>{TITLE}</h1>", *(f"<p>{_prose(text)}</p>" for text in introduction(quick=quick))]
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
    """Return pictures side by side; many are shown on a click."""
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


def _html_table(table: HtmlTable) -> str:
    heads = [
        f'<th class="row">{html.escape(table.rows)}</th>' if table.named else "",
        f'<th class="figure">{table.lines_head}</th>',
        *(f"<th>{html.escape(head)}</th>" for head in table.heads),
        "<th></th>" if table.judged else "",
    ]
    body = []
    for row, grouped in groupby(table.lines, key=lambda line: line.row):
        lines = list(grouped)
        first = f'<th class="row" rowspan="{len(lines)}">{html.escape(row)}</th>'
        body += [
            _html_line(line, table, first if table.named and at == 0 else "")
            for at, line in enumerate(lines)
        ]
    kind = "" if table.judged else ' class="benchmarks"'
    return (
        f"<table{kind}><thead><tr>{''.join(heads)}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def _html_line(line: Line, table: HtmlTable, first: str) -> str:
    verdict = f'<td class="verdict">{html.escape(line.verdict)}</td>' if table.judged else ""
    cells = "".join(
        f"<td{' class=better' if head in line.better else ''}>{html.escape(cell)}</td>"
        for head, cell in line.cells.items()
    )
    return f'<tr>{first}<td class="figure">{html.escape(line.figure)}</td>{cells}{verdict}</tr>'
