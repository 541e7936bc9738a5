"""Speed and quality of embedding, on real images, beside the paper's own procedure.

    python benchmarks/embedding.py --data FOLDER --output results/embedding.json [--only CASE ...]

FOLDER holds ``faces/celeba_89x109_8000.zip``, ``images/kodak`` and ``weights`` (SteganoGAN's).
Every figure is measured on the file as it is written and read again; PSNR is over RGB. Times are of
whole calls, from samples to a checked file, with a key file (a passphrase takes a tenth of a second
more).
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from measure import Case, arguments, measured, run, timed
from stegfield import channel, fixednet, signals
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fixednet import EmbedResult
from stegfield.fixednet.exact import search
from stegfield.fixednet.paper.gradient import descend, noise_around
from stegfield.fixednet.paper.network import FixedNetwork
from stegfield.fixednet.paper.published import PublishedNetwork
from stegfield.fixednet.paper.relu import ReluNetwork
from stegfield.keys import Key, KeyFile
from stegfield.metrics import Quality, luma, mean_psnr_db, quality
from stegfield.signals import Signal

KEY = Key(bytes(range(32)))
COVERS = 50
PAPERS_COVERS = 2
RATES = (1, 2, 3, 4)


def faces(data: Path, count: int) -> list[Signal]:
    """Read faces of CelebA: the middle 89x89, reduced to 64x64."""
    read = []
    with zipfile.ZipFile(data / "faces" / "celeba_89x109_8000.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for name in names[:: len(names) // count][:count]:
            with Image.open(io.BytesIO(archive.read(name))) as image:
                middle = image.convert("RGB").crop((0, 10, 89, 99))
                small = middle.resize((64, 64), Image.Resampling.LANCZOS)
                read.append(signals.from_samples(np.array(small)))
    return read


def kodak(data: Path) -> list[Signal]:
    """Read the 24 images of Kodak's suite, 768x512."""
    return [signals.read(path) for path in sorted((data / "images" / "kodak").glob("*.png"))]


def crops(data: Path, count: int) -> list[Signal]:
    """Cut pieces of 64x64 from all over Kodak's images."""
    images = [signals.to_samples(image) for image in kodak(data)]
    random = np.random.default_rng(1)
    cut = []
    for index in range(count):
        image = images[index % len(images)]
        row, column = (int(random.integers(side - 64)) for side in image.shape[:2])
        cut.append(signals.from_samples(image[row : row + 64, column : column + 64]))
    return cut


def noise(count: int, seed: int = 0) -> bytes:
    """Draw a message that cannot be deflated."""
    return np.random.default_rng(seed).bytes(count)


@dataclass(frozen=True)
class Sent:
    """An embedding, and whether its message came back from the file."""

    result: EmbedResult
    wrong: bool


def sent(cover: Signal, message: bytes, **settings: Any) -> Sent:
    """Embed, write, read and extract again."""
    result = fixednet.embed(cover, message, KEY, config=EmbedConfig(**settings))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stego.png"
        path.write_bytes(result.file)
        try:
            again = fixednet.extract(signals.read(path), KEY)
        except UnreadableError:
            return Sent(result, wrong=True)
    return Sent(result, wrong=again != message)


def told(messages: list[Sent]) -> dict[str, Any]:
    """Give the figures of several embeddings: means, and the median of the seconds."""
    results = [message.result for message in messages]
    qualities = [r.quality for r in results if isinstance(r.quality, Quality)]
    luma_psnr_db = [r.luma_psnr_db for r in results if r.luma_psnr_db is not None]
    return {
        "covers": len(results),
        "wrong_messages": sum(message.wrong for message in messages),
        "rate_bpp": round(statistics.mean(r.rate_bpp for r in results), 4),
        "mean_psnr_db": round(statistics.mean(r.quality.psnr_db for r in results), 2),
        "worst_psnr_db": round(min(r.quality.psnr_db for r in results), 2),
        "mean_luma_psnr_db": round(statistics.mean(luma_psnr_db), 2),
        "mean_ssim": round(statistics.mean(q.ssim or 0 for q in qualities), 5),
        "changed_share": round(statistics.mean(r.changed for r in results), 5),
        "median_seconds": round(statistics.median(r.seconds for r in results), 3),
        "slowest_seconds": round(max(r.seconds for r in results), 3),
    }


def filled(covers: list[Signal], bpp: int, **settings: Any) -> dict[str, Any]:
    """Fill a rate with the longest random message that fits."""
    results = []
    for index, cover in enumerate(covers):
        length = fixednet.capacity(cover)["exact"][f"{bpp} bpp"]
        results.append(sent(cover, noise(length, index), bpp=bpp, **settings))
    return told(results) | {"message_bytes": length}


def rates(data: Path) -> dict[str, Any]:
    """Every rate, full, on 50 faces and 50 crops of 64x64, priced by texture and flat."""
    groups = {"faces": faces(data, COVERS), "crops": crops(data, COVERS)}
    sent(groups["faces"][0], b"warm up")
    measured_rates: dict[str, Any] = {}
    for bpp in RATES:
        for name, covers in groups.items():
            for flat in (False, True):
                prices = "flat" if flat else "texture"
                figures = filled(covers, bpp, flat=flat)
                measured_rates[f"{bpp} bpp, {name}, {prices}"] = figures
                print(bpp, name, prices, figures["mean_psnr_db"], flush=True)
    return measured_rates


def kodak_full(data: Path) -> dict[str, Any]:
    """All of Kodak's images, filled at 1 bit a pixel; and how long reading takes."""
    images = kodak(data)
    figures = filled(images, 1)
    stego = sent(images[0], noise(47_000), bpp=1.0).result.stego
    return figures | {"extract_seconds": timed(5, lambda: fixednet.extract(stego, KEY))}


def kodak_kilobyte(data: Path) -> dict[str, Any]:
    """1,000 bytes in each of Kodak's images."""
    results = [sent(image, noise(1000, i)) for i, image in enumerate(kodak(data))]
    stego = results[0].result.stego
    return told(results) | {"extract_seconds": timed(5, lambda: fixednet.extract(stego, KEY))}


def sizes(data: Path) -> dict[str, Any]:
    """How time grows from 64x64 to 12 megapixels at 1 bit a pixel, each in a process of its own."""
    image = signals.to_samples(kodak(data)[4])
    tiles = np.tile(image, (6, 6, 1))
    grown: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        KeyFile(KEY).write(folder / "key")
        for rows, columns in ((64, 64), (256, 256), (512, 768), (1536, 2048), (3000, 4000)):
            cover = signals.from_samples(tiles[:rows, :columns])
            (folder / "cover.png").write_bytes(signals.to_png(cover))
            length = fixednet.capacity(cover)["exact"]["1 bpp"]
            (folder / "message").write_bytes(noise(length))
            tool = [sys.executable, "-m", "stegfield"]
            key = ["--key", str(folder / "key"), "--force"]
            both = [str(folder / "cover.png"), str(folder / "message")]
            stego = str(folder / "stego.png")
            written = measured([*tool, "embed", *both, "-o", stego, "--bpp", "1", *key])
            again = measured([*tool, "extract", stego, "-o", str(folder / "again"), *key])
            if (folder / "again").read_bytes() != noise(length):
                raise RuntimeError("a message came back wrong")
            grown[f"{columns}x{rows}"] = {
                "pixels": rows * columns,
                "message_bytes": length,
                "embed_command": written,
                "extract_command": again,
            }
            print(columns, rows, written, again, flush=True)
    least, *_, most = grown.values()
    more = most["pixels"] - least["pixels"]
    spent = most["embed_command"]["seconds"] - least["embed_command"]["seconds"]
    return grown | {"seconds_a_megapixel": round(1e6 * spent / more, 2)}


def lossy(data: Path) -> dict[str, Any]:
    """512 bytes in each of Kodak's images, sent through encoders and worse."""
    channels: dict[str, channel.Channel] = {
        **{f"JPEG {quality}": channel.jpeg(quality) for quality in (40, 50, 60)},
        **{f"JPEG {quality}": channel.jpeg(quality) for quality in (70, 75, 80, 85, 90, 95)},
        **{f"WebP {quality}": channel.webp(quality) for quality in (60, 80)},
        **{f"scaled by {factor}": channel.scaled(factor) for factor in (0.5, 0.75, 1.5, 2.0)},
        **{f"noise of {levels}": channel.noisy(levels) for levels in (2, 5, 8)},
        **{f"{share:.0%} left": channel.covered(share) for share in (0.95, 0.9)},
    }
    results, intact = [], dict.fromkeys(channels, 0)
    for index, image in enumerate(kodak(data)):
        message = noise(512, index)
        message_sent = sent(image, message, profile="robust")
        results.append(message_sent)
        levels = signals.to_samples(message_sent.result.stego)
        for name, encoder in channels.items():
            try:
                again = fixednet.extract(
                    signals.from_samples(encoder(levels)), KEY, profile="robust"
                )
            except UnreadableError:
                continue
            intact[name] += again == message
        print(index, round(message_sent.result.quality.psnr_db, 2), intact, flush=True)
    return told(results) | {"came_back": intact}


def compiled(data: Path) -> dict[str, Any]:
    """The search as machine code beside the same arithmetic in numpy."""
    random = np.random.default_rng(0)
    samples, bits, span = 12_288, 4096, 10
    stretch = np.arange(samples, dtype=np.int64) * bits // samples
    columns = random.integers(0, 1 << span, samples) | 1
    columns &= (1 << np.minimum(bits - stretch, span)) - 1
    ends = np.append(stretch[1:] != stretch[:-1], True)
    costs = random.random(samples, dtype=np.float32)
    target = random.integers(0, 2, bits).astype(np.uint8)
    seconds = {
        name: timed(5, partial(forward, columns, costs, ends, target, span))
        for name, forward in (("numba", search.compiled()[0]), ("numpy", search.forward_numpy))
    }
    return {"seconds": seconds, "ratio": round(seconds["numpy"] / seconds["numba"], 1)}


def papers(data: Path) -> dict[str, Any]:
    """The paper's network and solver on a few faces: raw random bits, one network each.

    The paper tries up to ten; errors are counted on the 8-bit image and, as its authors do, on the
    float image.
    """
    covers = faces(data, PAPERS_COVERS)
    return {
        f"{bpp} bpp": descended(covers, bpp, partial(ReluNetwork, KEY, depth=bpp)) for bpp in RATES
    }


def published(data: Path) -> dict[str, Any]:
    """SteganoGAN's released basic network: FNNS-D from noise, FNNS-DE from its own encoder."""
    covers, path = faces(data, PAPERS_COVERS), data / "weights" / "steganogan-basic.safetensors"
    tried = {}
    for bpp in (1, 2):
        network = PublishedNetwork(path, depth=bpp)

        def noise_start(levels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> torch.Tensor:
            return noise_around(levels, 2 / 255, torch.Generator().manual_seed(1))

        def encoded(
            levels: NDArray[np.uint8],
            bits: NDArray[np.bool_],
            network: PublishedNetwork = network,
        ) -> torch.Tensor:
            return network.encode(torch.from_numpy(levels / 255).float(), bits)

        for name, start in (("FNNS-D", noise_start), ("FNNS-DE", encoded)):
            tried[f"{name}, {bpp} bpp"] = descended(
                covers, bpp, partial(PublishedNetwork, path, depth=bpp), start
            )
    return tried


def descended(
    covers: list[Signal],
    bpp: int,
    network: Callable[[], FixedNetwork],
    start: Callable[..., torch.Tensor] | None = None,
) -> dict[str, float]:
    """Give the means of several descents of the paper's kind."""
    runs = []
    for index, cover in enumerate(covers):
        levels = signals.to_samples(cover)
        bits = np.random.default_rng(index).random(bpp * levels[..., 0].size) < 0.5
        began = time.perf_counter()
        found = descend(
            network(),
            bits,
            levels,
            config=DescentConfig(repair=0),
            start=None if start is None else start(levels, bits),
        )
        runs.append(
            {
                "wrong_share": found.errors / len(bits),
                "wrong_share_of_float_image": found.float_errors / len(bits),
                "psnr_db": found.psnr_db,
                "luma_psnr_db": mean_psnr_db(luma(found.levels), luma(levels)),
                "ssim": quality(levels, found.levels).ssim or 0,
                "restarts": found.restarts,
                "seconds": time.perf_counter() - began,
            }
        )
        print(bpp, runs[-1], flush=True)
    return {name: round(statistics.mean(run[name] for run in runs), 5) for name in runs[0]}


CASES: dict[str, Case] = {
    "rates": rates,
    "kodak_1_bpp": kodak_full,
    "kodak_1000_bytes": kodak_kilobyte,
    "sizes": sizes,
    "lossy": lossy,
    "compiled": compiled,
    "papers_procedure": papers,
    "published": published,
}


def main() -> None:
    """Measure the cases asked for, and write each as it is done."""
    given = arguments(__doc__, CASES, Path("results/embedding.json")).parse_args()
    run(CASES, given.only, given.data, given.output)


if __name__ == "__main__":
    main()
