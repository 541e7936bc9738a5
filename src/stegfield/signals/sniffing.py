"""Sniffing: what a file is, told by its first bytes, whatever its name.

Kinds that are not read are known as well, so that an error can name them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = 1 << 16
"""Bytes at the beginning of a file that are looked at."""


@dataclass(frozen=True)
class Kind:
    """A kind of file; it is read if its medium has its suffix."""

    name: str
    medium: str = ""
    """Of `stegfield.signals.MEDIA`; empty if it is none of ours."""
    suffix: str = ""
    """The usual one."""
    hint: str = ""
    """What to do with a file of this kind that is not read, if not to convert it."""


NUMPY = "save its numbers as a .npy file of 16-bit integers"
NETCDF_3 = Kind("NetCDF-3", "climate", hint="convert it: nccopy -k netCDF-4 old.nc new.nc")
PNG, ANIMATED_PNG = Kind("PNG", "image", ".png"), Kind("animated PNG", "video", ".apng")
GIF, STILL_GIF = Kind("GIF", "video", ".gif"), Kind("GIF", "image", ".gif")

_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    # images
    (rb"\xff\xd8\xff", Kind("JPEG", "image", ".jpg")),
    (rb"RIFF.{4}WEBP", Kind("WebP", "image", ".webp")),
    (rb"BM.{4}\0\0\0\0", Kind("BMP", "image", ".bmp")),
    (rb"II[*+]\0|MM\0[*+]", Kind("TIFF", "image", ".tif")),
    (rb"P[1-6]\s", Kind("PPM", "image", ".ppm")),
    (rb".{4}ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", Kind("HEIC", "image", ".heic")),
    (rb".{4}ftyp(avif|avis)", Kind("AVIF", "image", ".avif")),
    (rb".{4}ftypcrx |FUJIFILMCCD-RAW", Kind("a raw photograph", "image", ".raw")),
    (rb"\0\0\0\x0cJXL |\xff\x0a", Kind("JPEG XL", "image", ".jxl")),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", Kind("JPEG 2000", "image", ".jp2")),
    (rb"8BPS", Kind("Photoshop", "image", ".psd")),
    (rb"\x76\x2f\x31\x01", Kind("OpenEXR", "image", ".exr")),
    (rb"\0\0\x01\0[^\0]", Kind("an icon", "image", ".ico")),
    (rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg", Kind("SVG", "image", ".svg")),
    # sounds
    (rb"(RIFF|RF64|RIFX).{4}WAVE", Kind("WAV", "sound", ".wav")),
    (rb"fLaC", Kind("FLAC", "sound", ".flac")),
    (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", Kind("MP3", "sound", ".mp3")),
    (rb"\xff[\xf1\xf9]|ADIF", Kind("AAC", "sound", ".aac")),
    (rb".{4}ftypM4[AB]", Kind("AAC", "sound", ".m4a")),
    (rb"OggS.{24,64}theora", Kind("Ogg Theora", "video", ".ogv")),
    (rb"OggS", Kind("Ogg", "sound", ".ogg")),
    (rb"FORM.{4}AIF[FC]", Kind("AIFF", "sound", ".aiff")),
    (rb"\.snd", Kind("AU", "sound", ".au")),
    (rb"MThd", Kind("MIDI", "sound", ".mid", hint="notes are no samples: record it as WAV")),
    # climate
    (rb"\x89HDF\r\n\x1a\n", Kind("NetCDF-4", "climate", ".nc")),
    (rb"CDF[\x01\x02\x05]", NETCDF_3),
    (rb"GRIB", Kind("GRIB", "climate", ".grib", "convert it: cdo -f nc4 copy old.grib new.nc")),
    # videos; other brands of ftyp are MP4's and QuickTime's
    (rb".{4}(ftyp|moov|wide|mdat)", Kind("MP4", "video", ".mp4")),
    (rb"\x1aE\xdf\xa3", Kind("Matroska", "video", ".mkv")),
    (rb"RIFF.{4}AVI ", Kind("AVI", "video", ".avi")),
    (rb"FLV\x01", Kind("Flash video", "video", ".flv")),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("Windows Media", "video", ".wmv")),
    (rb"\0\0\x01[\xba\xb3]|G.{187}G.{187}G", Kind("MPEG", "video", ".mpg")),
    # volumes
    (rb"\x93NUMPY", Kind("an array of NumPy's", "volume", ".npy")),
    (rb".{128}DICM", Kind("DICOM", "volume", ".dcm", NUMPY)),
    (rb".{344}n[+i]1\0", Kind("NIfTI", "volume", ".nii", NUMPY)),
    # shapes; binary STL has no beginning of its own
    (rb"ply\r?\n", Kind("PLY", "shape", ".ply")),
    (rb"(C|N|ST|4|n)*OFF\s", Kind("OFF", "shape", ".off")),
    (rb"solid\s.{0,200}facet normal", Kind("STL", "shape", ".stl")),
    (rb"glTF", Kind("glTF", "shape", ".glb")),
    (rb"Kaydara FBX", Kind("FBX", "shape", ".fbx")),
    # none of ours
    (
        rb".{4}\0{4}\s*\{\s*\"",
        Kind("safetensors", "", ".safetensors", "a field file goes where a field is asked for"),
    ),
    (rb"PK\x03\x04", Kind("a zip", hint="unpack it")),
    (rb"\x1f\x8b", Kind("gzip", hint="unpack it: gunzip")),
    (rb"%PDF", Kind("PDF", hint="save the picture in it by itself")),
    (
        rb"version https://git-lfs",
        Kind("a pointer of Git LFS, not the file itself", hint="fetch it: git lfs pull"),
    ),
)
_KNOWN = [(re.compile(pattern, re.DOTALL), kind) for pattern, kind in _BEGINNINGS]


def sniff(data: bytes) -> Kind | None:
    r"""Tell what kind of file begins like this; None if nothing is known of it.

    Example:
        >>> sniff(b"ID3\x04")
        Kind(name='MP3', medium='sound', suffix='.mp3', hint='')
    """
    start = data[:PREFIX]
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return ANIMATED_PNG if _frames_of_png(start) > 1 else PNG
    if start.startswith((b"GIF87a", b"GIF89a")):
        return STILL_GIF if _frames_of_gif(data) == 1 else GIF
    return next((kind for pattern, kind in _KNOWN if pattern.match(start)), None)


def _frames_of_gif(data: bytes) -> int:
    """Count the frames of a GIF, as far as its bytes go and two at most."""
    at, frames = 13 + _colours(data, 10), 0
    while at < len(data) and frames < 2 and data[at] in b"\x21\x2c":
        if data[at] == 0x2C:
            frames += 1
            at += 10 + _colours(data, at + 9) + 1
        else:
            at += 2
        while (
            at < len(data) and data[at]
        ):  # blocks that begin with their length, up to an empty one
            at += 1 + data[at]
        at += 1
    return frames


def _colours(data: bytes, at: int) -> int:
    """Return the bytes of a GIF's table of colours by the flags at a place."""
    flags = data[at] if at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _frames_of_png(start: bytes) -> int:
    """Read how many frames a PNG says that it has, before the first of them begins."""
    at = 8
    while at + 12 <= len(start):
        name = start[at + 4 : at + 8]
        if name == b"acTL":
            return int.from_bytes(start[at + 8 : at + 12], "big")
        if name == b"IDAT":
            break
        at += 12 + int.from_bytes(start[at : at + 4], "big")
    return 1
