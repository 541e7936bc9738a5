"""The report's tables in other documents, between marks that name a suite.

    <!-- speed-1-rates figures -->
    (the table of the suite, and the machine)
    <!-- end of speed-1-rates figures -->

The name ``main`` stands for the headlines of all suites.
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
    """Put the current tables into a document, at its marks.

    Raises:
        InputError: The marks name a suite without results.
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
    """Return the table of the headlines of all suites."""
    lines = [
        line for section in sections for line in section.table.lines if _is_headline(line, section)
    ]
    rows = [(_described(line), line.cells.get(TARGET, ""), line.cells[line.ours]) for line in lines]
    table = [cells((BENCHMARK, TARGET, RESULT)), "|---|---|---|", *map(cells, rows)]
    return "\n".join(table) + "\n"


def _is_headline(line: Line, section: Section) -> bool:
    return line.label.startswith(section.headlines) if section.headlines else False


def _described(line: Line) -> str:
    """Return the name of a benchmark, and what others report of it."""
    others = [f"{head}: {cell}" for head, cell in line.cells.items() if "reported" in head and cell]
    return "; ".join([line.label, *others])


def _figures(section: Section) -> str:
    lines = as_table(section.table)
    return "\n".join([*lines, "", f"Measured on {section.where}."]) + "\n"
