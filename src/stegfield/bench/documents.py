"""Tables of the report inside other documents, between marks that name a suite.

    <!-- speed-1-rates figures -->
    (the table of the suite, and what it was measured on)
    <!-- end of speed-1-rates figures -->

``main`` in place of a suite stands for the headlines of all suites.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stegfield.bench.benchmarks import BENCHMARK, RESULT, TARGET
from stegfield.bench.markdown import as_table, cells
from stegfield.bench.sections import Line, Section
from stegfield.errors import InputError

MAIN = "main"
BLOCK = re.compile(r"(<!-- (\S+) figures -->\n).*?(<!-- end of \2 figures -->)", re.DOTALL)


def filled(text: str, sections: Sequence[Section]) -> str:
    """Put the tables of today into a document, where it has marks for them.

    Raises:
        InputError: the marks name a suite of which there are no results.
    """
    tables = {section.name: _figures(section) for section in sections}
    tables[MAIN] = main_figures(sections)

    def block(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        if name not in tables:
            raise InputError(
                f"there are no results of {name}", hint=f"marks may name {', '.join(tables)}"
            )
        return f"{start}{tables[name]}{end}"

    return BLOCK.sub(block, text)


def main_figures(sections: Sequence[Section]) -> str:
    """Write the table of the headlines of all suites."""
    lines = [
        line for section in sections for line in section.table.lines if _is_headline(line, section)
    ]
    rows = [(_described(line), line.cells.get(TARGET, ""), line.cells[line.ours]) for line in lines]
    table = [cells((BENCHMARK, TARGET, RESULT)), "|---|---|---|", *map(cells, rows)]
    return "\n".join(table) + "\n"


def _is_headline(line: Line, section: Section) -> bool:
    return line.label.startswith(section.headlines) if section.headlines else False


def _described(line: Line) -> str:
    """Name a benchmark, and what others report of it."""
    others = [f"{head}: {cell}" for head, cell in line.cells.items() if "reported" in head and cell]
    return "; ".join([line.label, *others])


def _figures(section: Section) -> str:
    lines = as_table(section.table)
    return "\n".join([*lines, "", f"Measured on {section.where}."]) + "\n"
