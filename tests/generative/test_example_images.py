from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stegfield.errors import InputError
from stegfield.generative import Images, globes
from stegfield.generative.examples import LEAST

COUNT = 20


def picture(seed: int) -> bytes:
    """A PNG of 24x16: red rises along the columns, the others are plain."""
    levels = np.full((16, 24, 3), (0, 10 * seed, 200 - seed), np.uint8)
    levels[..., 0] = 10 * np.arange(24)
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one below it, images in both, and a file that is none by its name."""
    root = tmp_path / "pictures"
    (root / "more").mkdir(parents=True)
    for seed in range(COUNT):
        (root / ("more" if seed % 2 else ".") / f"{seed:02}.PNG").write_bytes(picture(seed))
    (root / "notes.txt").write_text("nothing to see")
    return root


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    """The same in a zip."""
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        for file in sorted(folder.rglob("*.*")):
            stream.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("kind", ["folder", "archive"])
@pytest.mark.parametrize("memory", [4 << 30, 0])
def test_images_are_cut_to_their_central_square_and_reduced(
    kind: str, memory: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.generative.image_files.MEMORY", memory)
    images = Images(request.getfixturevalue(kind), 8)
    assert len(images) == COUNT
    # in the order of their names: those of the folder, then those below it
    order = [*range(0, COUNT, 2), *range(1, COUNT, 2)]
    for index in (np.array([0, 13, 2, 13]), np.array([19])):
        for grid, place in zip(images.grids(index), index, strict=True):
            seed = order[place]
            levels = (grid + 1) * 127.5
            plain = torch.tensor([10.0 * seed, 200 - seed])
            assert torch.allclose(levels[..., 1:], plain.expand(8, 8, 2), atol=1e-3)
            # the square begins at the fifth column; two columns become one
            rise = 45 + 20.0 * torch.arange(8)
            assert torch.allclose(levels[..., 0], rise.expand(8, 8), atol=1.1)


def test_smaller_sizes_are_means_of_the_largest(folder: Path) -> None:
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
    noise.save(folder / "00.PNG")
    images, index = Images(folder, 16), np.array([0, 1])
    assert torch.equal(images.values(index, 16), images.grids(index).flatten(1, 2))
    wanted = images.grids(index).view(2, 8, 2, 8, 2, 3).mean((2, 4)).flatten(1, 2)
    assert torch.allclose(images.values(index, 8), wanted, atol=1e-6)


def test_grey_images_are_shown_in_three_channels(folder: Path) -> None:
    Image.fromarray(np.full((16, 16), 51, np.uint8)).save(folder / "00.PNG")
    grid = Images(folder, 8).grids(np.array([0]))
    assert torch.allclose(grid, torch.full((1, 8, 8, 3), 51 / 127.5 - 1))


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_what_macos_adds_to_an_archive_is_no_image(
    kind: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    (folder / "__MACOSX").mkdir()
    for name in ("__MACOSX/._00.png", "__MACOSX/01.png", "._02.png", "more/._03.png"):
        (folder / name).write_bytes(b"no image")
    images = Images(request.getfixturevalue(kind), 8)
    assert len(images) == COUNT
    images.values(np.arange(COUNT), 8)


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_file_that_is_no_image_is_named(
    kind: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    (folder / "more" / "broken.png").write_bytes(b"no image at all")
    images = Images(request.getfixturevalue(kind), 8)
    images.values(np.array([0]), 8)
    with pytest.raises(InputError, match=r"broken\.png"):
        images.values(np.arange(len(images)), 8)


def test_a_folder_of_few_images_is_refused(tmp_path: Path) -> None:
    for seed in range(LEAST - 1):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed))
    with pytest.raises(InputError, match=f"has {LEAST - 1} images") as caught:
        Images(tmp_path, 8)
    assert caught.value.hint is not None


def test_a_source_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    for read in (lambda path: Images(path, 8), globes):
        with pytest.raises(InputError):
            read(tmp_path / "nothing")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all" * 9])
def test_a_file_that_is_no_zip_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match="is not a zip"):
        Images(path, 8)


def test_a_truncated_zip_is_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(InputError):
        Images(archive, 8)


@pytest.mark.parametrize("at", [0, 4, 6, 8, 14, 26, 45, 50, 60])
def test_a_damaged_zip_is_refused_in_one_way(at: int, archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    for position in range(at, len(data) // 2, 97):
        data[position] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(InputError):
        Images(archive, 8).values(np.arange(COUNT), 8)


def test_a_zip_that_would_take_all_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for number in range(20):
            bomb.writestr(f"{number}.bmp", bytes(1 << 23))
    with pytest.raises(InputError, match="would inflate to more than"):
        Images(path, 8)
