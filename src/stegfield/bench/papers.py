"""Tables for a paper: CSV for other programs, LaTeX for the paper, BibTeX for its sources."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib import resources

from stegfield.bench.sections import HtmlTable, Section

SOURCES = "sources.bib"
SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "*": r"\textsuperscript{*}",
        "“": "``",
        "”": "''",
    }
)


def as_csv(table: HtmlTable) -> str:
    """Return a table as CSV (RFC 4180): a line for each figure of each row, a column a method."""
    out = io.StringIO()
    writer = csv.writer(out)
    named = [table.rows or "row"] if table.named else []
    writer.writerow([*named, table.lines_head, *table.heads])
    for line in table.lines:
        row = [line.row] if table.named else []
        writer.writerow([*row, line.figure, *(line.cells[head] for head in table.heads)])
    return out.getvalue()


def as_latex(section: Section) -> str:
    r"""Return a table as a LaTeX float, for the package booktabs; ours stands in bold.

    Example:
        >>> from stegfield.bench.sections import Line
        >>> line = Line("", "PSNR", {"ours": "51 %", "HILL": "50*"}, "ours", [])
        >>> table = HtmlTable("", ["ours", "HILL"], [line])
        >>> print(as_latex(Section("a-1", "Quality", "", "", "", "", table)))
        % needs \usepackage{booktabs}
        \begin{table}
        \caption{Quality. A star marks what others report.}
        \label{tab:a-1}
        \begin{tabular}{lrr}
        \toprule
        figure & \textbf{ours} & HILL \\
        \midrule
        PSNR & \textbf{51 \%} & 50\textsuperscript{*} \\
        \bottomrule
        \end{tabular}
        \end{table}
        <BLANKLINE>
    """
    table = section.table
    ours = table.lines[0].ours if table.lines else ""
    left = [table.rows, table.lines_head] if table.named else [table.lines_head]
    body, last = [], None
    for line in table.lines:
        row = [line.row if line.row != last else ""] if table.named else []
        if last is not None and line.row != last:
            body.append(r"\addlinespace")
        body.append(_row([*row, line.figure], line.cells, table.heads, ours))
        last = line.row
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{_text(section.title)}. A star marks what others report.}}",
            rf"\label{{tab:{section.name}}}",
            rf"\begin{{tabular}}{{{'l' * len(left)}{'r' * len(table.heads)}}}",
            r"\toprule",
            _row(left, {head: head for head in table.heads}, table.heads, ours),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def sources() -> str:
    """Return the BibTeX of the papers that the suites compare with or draw on."""
    return (resources.files("stegfield.bench") / SOURCES).read_text("utf-8")


def _row(left: Sequence[str], cells: Mapping[str, str], heads: Sequence[str], ours: str) -> str:
    texts = [_text(text) for text in left]
    texts += [
        rf"\textbf{{{_text(cells[head])}}}" if head == ours else _text(cells[head])
        for head in heads
    ]
    return " & ".join(texts) + r" \\"


def _text(text: str) -> str:
    return text.translate(SPECIAL)
