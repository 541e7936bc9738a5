"""Looks: how viewers show an image's samples, and what else its file tells of it.

Samples alone are no picture: a colour profile, a gamma or code points (cICP) say what colours they
stand for, and a resolution how large they are printed. A `Look` goes with a `Signal` from the file
that was read to the file that is written. It never enters a field file.

Sources: PNG, third edition, sections 4.3 and 11.3.2; ICC.1:2022, sections 7.2, 10.13 and 10.15.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import ExifTags, Image, JpegImagePlugin, PngImagePlugin

SPACES = {1: b"GRAY", 3: b"RGB "}
"""The colour space of a profile that suits an image of so many channels."""
COLOUR_CHUNKS = (b"cICP", b"mDCV", b"cLLI", b"gAMA", b"cHRM", b"sRGB")
SRGB_GAMMA = (45455).to_bytes(4, "big")
SRGB_CICP = bytes([1, 13, 0, 1])
MOST_DPI = 65_535
HOLDS = {
    "PNG": ("profile", "gamma", "resolution", "EXIF"),
    "TIFF": ("profile", "resolution"),  # libtiff takes no EXIF data in compressed files
    "WEBP": ("profile", "EXIF"),
    "BMP": ("resolution",),
    "JPEG": ("profile", "resolution", "EXIF"),
}
"""What the formats that we write can say of a picture, as far as Pillow writes it."""
MODES = 64
SAMPLINGS = range(3)
"""Those that Pillow writes."""
STRUCTURE = frozenset({*range(254, 320), *range(320, 348), 512, 513, 514, 515, *range(517, 533)})
"""Tags of a TIFF that say where its samples are, and of a thumbnail; not what it shows."""
KEPT_TAGS = frozenset({270, 271, 272, 305, 306, 315, 316})
"""Of those: description, maker, model, software, date, artist and computer."""
NOT_EXIF = frozenset({700, 33723, 34377, 34675, 50341})
"""XMP, IPTC, Photoshop's data, a colour profile, PrintIM."""
NOT_KEPT = (37500, 40965)
"""Of the EXIF part: the maker's notes, which may hold a preview, and a pointer."""


@dataclass(frozen=True)
class Encoding:
    """How a JPEG file quantises its samples, so that another file may do the same."""

    tables: tuple[tuple[int, ...], ...]
    """Steps of luma, and of chroma if there is any: of each mode, row by row."""
    sampling: int
    """Pillow's number of it: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0."""

    def options(self) -> dict[str, Any]:
        """Return what Pillow needs to write such a file."""
        return {"qtables": list(map(list, self.tables)), "subsampling": self.sampling}


@dataclass(frozen=True)
class Look:
    """What a file says of its samples; nothing said is sRGB."""

    profile: bytes = field(default=b"", repr=False)
    """An ICC profile, of the same colour space as the samples."""
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    """Names and contents of a PNG's chunks on colour; code points of other files as a cICP."""
    dpi: tuple[float, float] | None = None
    """Samples an inch, across and down."""
    exif: bytes = field(default=b"", repr=False)
    """Without orientation, thumbnails and the maker's notes, which show the cover."""
    metadata: tuple[str, ...] = ()
    """What metadata the file has, by name: EXIF and others, which are not kept."""
    encoding: Encoding | None = field(default=None, repr=False, compare=False)
    """Of a JPEG."""

    def without_metadata(self) -> Look:
        """Return what shows only."""
        return replace(self, exif=b"", metadata=())

    @property
    def colours(self) -> str:
        """What colours the samples stand for, in words."""
        kind, code = self._meaning()
        if kind == "cICP":
            return "the code points " + "/".join(map(str, code[:2]))
        if kind == "profile":
            return f"the profile {profile_name(code) or '(unnamed)'}"
        if kind == "gamma":
            gamma = int.from_bytes(dict(self.chunks).get(b"gAMA", b""), "big") / 1e5
            return f"a gamma of {gamma:g}" if gamma else "primaries of its own"
        return "sRGB"

    def shows_like(self, other: Look) -> bool:
        """Tell whether viewers show the same samples in the same colours."""
        return self._meaning() == other._meaning()

    def _meaning(self) -> tuple[str, bytes]:
        """Return what counts of all that is said of colours: the first one of PNG's order."""
        said = dict(self.chunks)
        if b"cICP" in said:
            code = said[b"cICP"]
            return ("sRGB", b"") if code == SRGB_CICP else ("cICP", code)
        if self.profile:
            return ("sRGB", b"") if _is_srgb(self.profile) else ("profile", self.profile)
        gamma, primaries = said.get(b"gAMA", SRGB_GAMMA), said.get(b"cHRM", b"")
        if b"sRGB" in said or (gamma == SRGB_GAMMA and primaries in (b"", SRGB_PRIMARIES)):
            return "sRGB", b""
        return "gamma", gamma + primaries

    def options(self, kind: str, channels: int) -> dict[str, Any]:
        """Return what Pillow needs to write as much of this into a file as its kind can hold.

        Args:
            kind: Pillow's name of it.
            channels: Of the samples in the file.
        """
        holds = HOLDS[kind]
        options: dict[str, Any] = {}
        if self.profile and "profile" in holds and self.suits(channels):
            options["icc_profile"] = self.profile
        if self.chunks and "gamma" in holds:
            options["pnginfo"] = PngImagePlugin.PngInfo()
            for name, body in self.chunks:
                options["pnginfo"].add(name, body)
        if self.dpi and "resolution" in holds:
            options["dpi"] = self.dpi
        if self.exif and "EXIF" in holds:
            options["exif"] = self.exif
        return options

    def lost_in(self, kind: str, channels: int) -> list[str]:
        """Name what a kind of file cannot hold of this."""
        holds, lost = HOLDS[kind], []
        if self.profile and not ("profile" in holds and self.suits(channels)):
            lost.append("colour profile")
        if "gamma" not in holds and self._meaning()[0] in ("gamma", "cICP"):
            lost.append("gamma and primaries")
        if self.dpi and "resolution" not in holds:
            lost.append("resolution")
        if self.exif and "EXIF" not in holds:
            lost.append("EXIF")
        return lost

    def suits(self, channels: int) -> bool:
        """Tell whether the profile is one for samples of so many channels."""
        return self.profile[16:20] == SPACES[channels]


SRGB_PRIMARIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


SRGB_COLORANTS = {
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
"""Of sRGB, adapted to D50."""
COLORANT_ERROR = 0.002


def _is_srgb(profile: bytes) -> bool:
    """Tell whether a profile is sRGB's: by its name, and by its colorants, since names mislead."""
    tags = _tags(profile)
    with suppress(struct.error):
        for name, wanted in SRGB_COLORANTS.items():
            found = struct.unpack_from(">3i", tags.get(name, b""), 8)
            if any(abs(a / 65536 - b) > COLORANT_ERROR for a, b in zip(found, wanted, strict=True)):
                return False
        return profile_name(profile).startswith("sRGB")
    return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return what an ICC profile has under each name, as far as it can be read."""
    found = {}
    with suppress(struct.error):
        count = min(struct.unpack_from(">I", profile, 128)[0], 100)
        for index in range(count):
            name, at, length = struct.unpack_from(">4sII", profile, 132 + 12 * index)
            found[name] = profile[at : at + length]
    return found


def profile_name(profile: bytes) -> str:
    """Return the name that an ICC profile has for people; empty if it has none that can be read."""
    text = _tags(profile).get(b"desc", b"")
    with suppress(struct.error, UnicodeDecodeError):
        if text[:4] == b"desc":
            length = struct.unpack_from(">I", text, 8)[0]
            return text[12 : 12 + length].rstrip(b"\0").decode("ascii")
        if text[:4] == b"mluc":
            length, start = struct.unpack_from(">II", text, 20)
            return text[start : start + length].decode("utf-16-be")
    return ""


def of_file(opened: Image.Image, data: bytes, *, turned: bool) -> Look:
    """Read what a file says of its samples.

    Args:
        opened: The image, as Pillow opens it.
        data: Its file, if that is there.
        turned: Its rows become columns.
    """
    exif, metadata = _exif(opened)
    return Look(
        profile=_profile(opened),
        chunks=_chunks(opened, data),
        dpi=_dpi(opened, turned=turned),
        exif=exif,
        metadata=metadata,
        encoding=_encoding(opened),
    )


def _encoding(opened: Image.Image) -> Encoding | None:
    """Return a JPEG's tables and sampling, if they are of a common kind."""
    tables, channels = getattr(opened, "quantization", {}), {"L": 1, "RGB": 3}.get(opened.mode, 0)
    named = [tuple(map(int, tables.get(at, ()))) for at in range(min(channels, 2))]
    common = all(len(table) == MODES and 1 <= min(table) <= max(table) <= 255 for table in named)
    sampling = JpegImagePlugin.get_sampling(opened) if channels == 3 else 0
    if not named or not common or sampling not in SAMPLINGS:
        return None
    return Encoding(tuple(named), sampling)


def _profile(opened: Image.Image) -> bytes:
    profile = opened.info.get("icc_profile")
    sound = isinstance(profile, bytes) and len(profile) >= 132 and profile[36:40] == b"acsp"
    return profile if sound and isinstance(profile, bytes) else b""


def _chunks(opened: Image.Image, data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    if data.startswith(b"\x89PNG"):
        return tuple(_chunks_of_png(data).items())
    found, info = {}, opened.info
    if at := data.find(b"colrnclx", 0, 1 << 16) + 1:  # HEIC and AVIF
        primaries, transfer = struct.unpack_from(">HH", data, at + 7)
        if not (primaries in (1, 2) and transfer in (1, 2, 6, 13, 14, 15)):
            found[b"cICP"] = bytes([primaries & 255, transfer & 255, 0, 1])
    if opened.format == "PNG":  # an image of Pillow's
        if gamma := info.get("gamma"):
            found[b"gAMA"] = struct.pack(">I", round(gamma * 1e5))
        if len(primaries := info.get("chromaticity", ())) == 8:
            found[b"cHRM"] = struct.pack(">8I", *(round(each * 1e5) for each in primaries))
        if (intent := info.get("srgb")) is not None:
            found[b"sRGB"] = bytes([intent])
    return tuple(found.items())


def _chunks_of_png(data: bytes) -> Mapping[bytes, bytes]:
    """Return the chunks on colour, which stand before the samples."""
    at, found = 8, {}
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            break
        if name in COLOUR_CHUNKS and length <= 64:
            found[name] = data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def _dpi(opened: Image.Image, *, turned: bool) -> tuple[float, float] | None:
    with suppress(Exception):  # whatever a file has there
        across, down = (float(each) for each in opened.info["dpi"])
        # Pillow says 1 where a TIFF has no unit, and 72 where a camera's EXIF is odd
        if all(math.isfinite(each) and 1 < each <= MOST_DPI for each in (across, down)):
            return (down, across) if turned else (across, down)
    return None


def _exif(opened: Image.Image) -> tuple[bytes, tuple[str, ...]]:
    """Return EXIF data that may be kept, and the names of all metadata."""
    exif, names = b"", []
    with suppress(Exception):  # Pillow raises nearly anything on odd EXIF data
        exif = _without_previews(opened.getexif())
    if exif:
        names.append("EXIF")
    info = opened.info
    texts = getattr(opened, "text", {}) if opened.format == "PNG" else {}
    if "xmp" in info or "XML:com.adobe.xmp" in texts:
        names.append("XMP")
    if "photoshop" in info:
        names.append("IPTC")
    if "comment" in info or set(texts) - {"XML:com.adobe.xmp"}:
        names.append("comments")
    return exif, tuple(names)


def _without_previews(read: Image.Exif) -> bytes:
    """Write EXIF data anew, with nothing in it that shows the cover or contradicts the samples."""
    kept = Image.Exif()
    for tag, value in read.items():
        if tag not in NOT_EXIF and (tag not in STRUCTURE or tag in KEPT_TAGS):
            kept[tag] = value
    for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        kept.pop(part, None)
        tags = {tag: value for tag, value in read.get_ifd(part).items() if tag not in NOT_KEPT}
        if tags:
            kept[part] = tags
    return kept.tobytes() if len(kept) else b""
