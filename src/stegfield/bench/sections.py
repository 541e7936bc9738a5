"""Sections of a report: what a suite came to, as text, before it becomes HTML or Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BEHIND, LEVEL = "behind", "level with"
TITLE = "What was measured"
HEAD = (
    """Each experiment is a table or a figure of a paper, which it names, or a benchmark of our own.
Columns are methods. A column that says “reported”, and every number with a star, is what others
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
photographs with all their crops. All of this ran on two cores that other work shares. Seconds, and
what was reached in a given number of seconds, depend on that, so rows of steps tell how far each
run came.""",
    """Where another column is better than ours, the row says that we are behind it, and the last
section lists all such rows; it says “level with” where the difference lies within the interval of
ours, or comes to less than a thousandth of SSIM, or to three images of those judged or fewer.
Variants of ours are not compared with it, nor are rows of which neither way is better, such as
sizes.""",
    """Tables of benchmarks give the target that was set before the work began beside the result; a
result that misses its target says so, and is in the last section as well.""",
)
QUICK = """This is the short form: few images, few steps. It shows that everything runs, not how
well it does."""
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
class HtmlTable:
    """Cells as text."""

    rows: str
    """What stands in the rows; nothing if there is one."""
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
    """What a suite came to."""

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
    """How those of its lines begin that are among the main figures."""

    @property
    def drawn(self) -> list[Drawn]:
        """Return the charts, then the pictures."""
        return [*self.charts, *self.pictures]

    @property
    def behind(self) -> list[str]:
        """Tell every line in which another column is better than ours."""
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
