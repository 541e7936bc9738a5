"""Reading and writing baseline JPEG files."""

from __future__ import annotations

from dataclasses import dataclass

from stegfield.jpeg import entropy
from stegfield.jpeg.files import LARGEST_POINTS, JpegFile, Scan
from stegfield.jpeg.frame import MOST_BLOCKS_TOGETHER, Frame, order
from stegfield.jpeg.headers import BASELINE, EXTENDED, Reader, parse_members
from stegfield.jpeg.huffman import AC, DC
from stegfield.jpeg.segments import Coded, damaged, incomplete, split


@dataclass
class BaselineReader(Reader):
    """Reads the segments and scans of a baseline file."""

    frames = frozenset({BASELINE, EXTENDED})

    def scan(self, header: bytes, part: Coded, frame: Frame) -> Scan:
        """Decode a scan, and note how it is written again."""
        members, chosen = parse_members(header, frame)
        blocks = order(frame, members)
        if blocks.together > MOST_BLOCKS_TOGETHER:
            raise ValueError("its components are sampled too finely")
        if self.chosen_steps.keys() & set(members):
            raise ValueError("a component is coded twice")
        if len(blocks.places) * entropy.LEAST_BITS > 8 * len(part.raw):
            raise incomplete(self.name)
        for member in members:
            self.choose(member, frame)
        dc = [self.table(DC, pair >> 4) for pair in chosen]
        ac = [self.table(AC, pair & 15) for pair in chosen]
        leftovers = entropy.decode(
            part.raw,
            blocks,
            self.restart * blocks.together,
            entropy.Tables(tuple(each for _, each in dc), tuple(each for _, each in ac)),
            out=self.coefficients(frame),
            name=self.name,
        )
        places = [tuple(at for at, _ in kind) for kind in (dc, ac)]
        return Scan(members, places[0], places[1], self.restart, leftovers)


def decode(
    data: bytes,
    name: str = "the file",
    *,
    allow_recompress: bool = False,
    largest: int = LARGEST_POINTS,
) -> JpegFile:
    """Read a JPEG file.

    Args:
        data: The file.
        name: What errors call it.
        allow_recompress: Read progressive and arithmetic-coded files too, as the baseline files
            that `conversion` makes of them.
        largest: Pixels that it may have.

    Raises:
        ImageError: the file is no baseline JPEG, or damaged, incomplete or too large.
    """
    if allow_recompress:
        from stegfield.jpeg import conversion

        data = conversion.to_baseline(data, name, largest)
    reader, length = BaselineReader(name, largest), 0
    try:
        for part in split(data, name):
            reader.take(part)
            length += len(part.raw)
        return reader.finished(data[length:], length)
    except ValueError as error:
        raise damaged(name, str(error)) from None


def encode(file: JpegFile) -> bytes:
    """Return the bytes of a file; the same as were read, if nothing was changed."""
    return file.encoded()
