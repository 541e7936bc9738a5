"""Sections of a report: the results of a suite as text, before it becomes HTML or Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BEHIND, LEVEL = "behind", "level with"
TITLE = "What was measured"
HEAD = (
    """Each experiment is a table or a figure of a paper, which it names, or a benchmark of our
own. Columns are methods. A column that says “reported”, and every number with a star, is what
others report of their method, measured by them on their images. All else was run here, each
method on the same images. “The paper's, run here” is our own implementation of the paper's
method. “Ours” is what `stegfield embed`, or `stegfield hide`, does without further options; the
column names an option that was given.""",
    """Embedding puts the bits of a message into an image's samples: the cover becomes the
stego. The rate is in bits a pixel (bpp); a pixel has three samples. Hiding puts whole images
into the weights of a neural field: everyone sees the stego image, and the owner of a key also
that key's secret. Some weights, the slots, take other values for each key.""",
    """A number is the mean over the jobs in the line “Run”, with the settings of that line;
other settings are the experiment's defaults. PSNR, in decibels, and SSIM (Gaussian window of
11x11), up to 1, measure how alike two images are: higher is more alike. MAE and RMSE are mean
and root mean square errors in levels of 0 to 255. A detector that guesses has an AUC of 0.5, an
accuracy of 50 % and a least average error P_E of 0.5. Numbers in brackets are a 95 % interval:
Wilson's for a share, and for P_E a bootstrap over whole photographs with all their crops. All
of this ran on two cores that other work shares. Seconds, and results after a given number of
seconds, depend on that; rows of steps show how far each run was.""",
    """Where another column is better than ours, the row says that ours is behind, and the last
section lists all such rows. The row says “level with” if the difference is within the interval
of ours, less than a thousandth of SSIM, or at most three of the judged images. Variants of ours
are not compared with it, nor are rows in which neither direction is better, such as sizes.""",
    """Tables of benchmarks have the target, set before the work began, beside the result. A
result that misses its target says so, and is also in the last section.""",
)
QUICK = """This is the short form: few images, few steps. It shows that everything runs, not how
well it works."""
NOWHERE = "Nowhere, by these figures."
GLANCE = "At a glance"
HEADS = ("experiment", "of", "rows compared", "behind in")
LISTED = "Where we fall behind"


def introduction(*, quick: bool) -> list[str]:
    """Return the paragraphs that a report begins with."""
    return [" ".join(text.split()) for text in (*HEAD, *([QUICK] if quick else []))]


@dataclass(frozen=True)
class Line:
    """A row of a table: a figure of one combination of settings."""

    row: str
    """The settings; lines of one row are consecutive."""
    figure: str
    cells: Mapping[str, str]
    """Texts by the heads of their columns."""
    ours: str
    """The head of our column."""
    better: Sequence[str]
    """The heads of the columns that are better."""
    level: Sequence[str] = ()
    """The heads of the columns that are better by no more than chance."""
    judged: bool = True
    """Whether there is something to compare ours with."""

    @property
    def label(self) -> str:
        """Return a name for the line outside its table."""
        return f"{self.row}: {self.figure}" if self.row else self.figure

    @property
    def verdict(self) -> str:
        """Return which columns are ahead of ours, in words."""
        told = {BEHIND: self.better, LEVEL: self.level}
        return "; ".join(f"{word} {', '.join(heads)}" for word, heads in told.items() if heads)


@dataclass(frozen=True)
class HtmlTable:
    """Cells as text."""

    rows: str
    """What the rows are; empty if there is only one."""
    heads: Sequence[str]
    lines: Sequence[Line]
    lines_head: str = "figure"
    """What a line of a row is."""

    @property
    def named(self) -> bool:
        """Whether rows have names."""
        return any(line.row for line in self.lines)

    @property
    def judged(self) -> bool:
        """Whether lines say who is ahead of ours."""
        return self.lines_head == "figure"


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture: its file's name, what it shows, and the PNG."""

    name: str
    about: str
    png: bytes


@dataclass(frozen=True, eq=False)
class Section:
    """The results of a suite."""

    name: str
    title: str
    source: str
    about: str
    run: str
    where: str
    """The machines that it was measured on."""
    table: HtmlTable
    charts: list[Drawn] = field(default_factory=list)
    pictures: list[Drawn] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    headlines: tuple[str, ...] = ()
    """Beginnings of its lines that are among the main figures."""

    @property
    def drawn(self) -> list[Drawn]:
        """Return the charts, then the pictures."""
        return [*self.charts, *self.pictures]

    @property
    def behind(self) -> list[str]:
        """Return every line in which another column is better than ours."""
        return [
            f"{line.label}: "
            + "; ".join(f"{head}: {line.cells[head]}" for head in (line.ours, *line.better))
            for line in self.table.lines
            if line.better
        ]

    @property
    def glance(self) -> list[str]:
        """Return the source, how many rows are compared, and in how many we are behind."""
        judged = sum(line.judged for line in self.table.lines)
        counts = [f"{judged:,}", f"{len(self.behind):,}"] if judged else ["", ""]
        return [self.source, *counts]
