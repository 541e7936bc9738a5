"""Images to run experiments on: sets of a data folder, and those that ship with scikit-image."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from stegfield import files, signals
from stegfield.errors import InputError, Wording
from stegfield.signals import Signal

LARGEST_FILE = 1 << 28
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "camera", "cat")
FOLDERS = {
    "celeba": "faces/celeba_89x109_8000.zip",
    "utkface": "faces/utkface_200x200_1000.zip",
    "seed_triple": "faces/seed_triple",
    "kodak": "images/kodak",
    "div2k": "images/div2k_valid_256",
    "coco": "images/coco",
    "usgov": "images/usgov_photos",
}
SUFFIXES = (".png", ".jpg", ".jpeg")


class Datasets:
    """Named sets of images, each cut to its central square and reduced to a size."""

    def __init__(self, folder: Path | None, work: Path | None = None, job: str = "job") -> None:
        self._folder, self._work, self._job = folder, work, job

    def scratch(self, shared: str | None = None) -> Path:
        """Return a folder for what a job needs to resume after an interruption.

        Args:
            shared: Name of a folder that all jobs of a run share [default: the job's own].
        """
        if self._work is None:
            self._work = Path(tempfile.mkdtemp(prefix="stegfield-"))
        path = self._work / (self._job if shared is None else shared)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def image(self, name: str, index: int, size: int | None = None) -> Signal:
        """Return an image of a set; after the last one comes the first.

        Args:
            name: ``photographs``, or a set of the data folder.
            index: Which image.
            size: Rows and columns; None leaves the image as it is.

        Raises:
            InputError: There is no such set, or no data folder is named.
        """
        pictures = self._set(name)
        image = pictures[index % len(pictures)]()
        if size is None:
            return signals.from_samples(np.asarray(image))
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        reduced = image.resize((size, size), Image.Resampling.LANCZOS, box)
        return signals.from_samples(np.asarray(reduced))

    def count(self, name: str) -> int:
        """Count the images of a set."""
        return len(self._set(name))

    def path(self, *parts: str) -> Path:
        """Return the path of a file in the data folder.

        Raises:
            InputError: The file does not exist, or no data folder is named.
        """
        if self._folder is None:
            raise InputError(
                f"{'/'.join(parts)} is needed", hint=Wording("name its folder with {data}")
            )
        path = self._folder.joinpath(*parts)
        if not path.exists():
            raise InputError(
                f"{path} does not exist", hint=Wording("name another folder with {data}")
            )
        return path

    def _set(self, name: str) -> Sequence[Callable[[], Image.Image]]:
        if name == "photographs":
            return [partial(_photograph, name) for name in PHOTOGRAPHS]
        if name not in FOLDERS:
            raise InputError(
                f"there is no set of images {name}",
                hint=f"name one of photographs, {', '.join(FOLDERS)}",
            )
        path = self.path(*FOLDERS[name].split("/"))
        if path.suffix == ".zip":
            return [partial(_from_archive, path, name) for name in _names(path)]
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        if not inside:
            raise InputError(f"{path} has no images")
        return [partial(_from_file, path) for path in inside]


@lru_cache(maxsize=4)
def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path} is not a zip: {error}") from None


@lru_cache(maxsize=4)
def _names(path: Path) -> list[str]:
    return sorted(n for n in _archive(path).namelist() if Path(n).suffix.lower() in SUFFIXES)


def _from_archive(path: Path, name: str) -> Image.Image:
    return Image.open(io.BytesIO(_archive(path).read(name))).convert("RGB")


def _from_file(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(files.read_bounded(path, LARGEST_FILE))).convert("RGB")


@lru_cache(maxsize=16)
def _photograph(name: str) -> Image.Image:
    try:
        from skimage import data
    except ImportError:
        raise InputError(
            "the photographs come with scikit-image, which is not installed",
            hint=Wording("pip install 'stegfield[demo]', or name a folder of images with {data}"),
        ) from None
    return Image.fromarray(getattr(data, name)()).convert("RGB")
