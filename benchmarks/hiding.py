"""Speed and quality of hiding, on real images, beside the paper's own procedure.

    python benchmarks/hiding.py --data FOLDER --output results/hiding.json [--only CASE ...]

FOLDER holds ``faces/seed_triple`` (the images that the authors of StegaINR4MIH publish),
``faces/utkface_200x200_1000.zip`` and ``images/div2k_valid_256``. Each case replaces its own entry
of the output, so that cases can be measured one by one. The paper's procedure is cut off after
``--papers-seconds`` of joint training. Times are of two cores; they vary by a fifth where other
programs share the machine, so compare times of one run only.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from measure import Case, arguments, measured, run, timed
from stegfield import fields, hiding, signals
from stegfield.config import FitConfig, HideConfig
from stegfield.fields import FitProgress, Target
from stegfield.hiding import HideResult, Secret, SlotScheme, key_slots
from stegfield.keys import Key, KeyFile
from stegfield.metrics import Quality
from stegfield.signals import Signal, waves

SEED = 1
PAPERS_SECONDS = 150.0
"""For the joint training by the paper's procedure, which would take a day to the end."""
COMPARED_DB = 38.0
"""Where the paper's procedure and ours are compared, by their worst image."""


def seed_triple(data: Path) -> list[Signal]:
    """Read the cover and the two secrets of the paper's authors, 128x128."""
    folder = data / "faces" / "seed_triple"
    return [signals.read(folder / n) for n in ("cover.png", "secret1.jpg", "secret2.jpg")]


def faces(data: Path, count: int) -> list[Signal]:
    """Read faces of UTKFace, reduced from 200x200 to 128x128."""
    read = []
    with zipfile.ZipFile(data / "faces" / "utkface_200x200_1000.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        with tempfile.TemporaryDirectory() as folder:
            for name in names[:: len(names) // count][:count]:
                path = Path(folder) / "face.jpg"
                path.write_bytes(archive.read(name))
                read.append(signals.resize(signals.read(path), 128))
    return read


def div2k(data: Path, first: int) -> list[Signal]:
    """Read three 256x256 crops of DIV2K."""
    folder = data / "images" / "div2k_valid_256"
    return [signals.read(folder / f"{first + i:04d}.png") for i in range(3)]


def hide_all(images: list[Signal], **settings: Any) -> HideResult:
    """Hide all but the first image in the first one's field, each with a key of its own."""
    keys = [Key(bytes([i]) * 32) for i in range(1, len(images))]
    secrets = [Secret(image, key) for image, key in zip(images[1:], keys, strict=True)]
    return hiding.hide(images[0], secrets, **settings)


def told(result: HideResult) -> dict[str, Any]:
    """Give the figures of a result, in dB and seconds."""
    shown = [result.cover, *(secret.quality for secret in result.secrets)]
    everything = [quality for quality in shown if isinstance(quality, Quality)]
    return {
        "weights": result.field.weight_count(),
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "psnr_db": [round(q.psnr_db, 2) for q in everything],
        "worst_psnr_db": round(min(q.psnr_db for q in everything), 2),
        "ssim": [round(q.ssim or 0, 4) for q in everything],
        "rmse": [round(q.rmse, 3) for q in everything],
        "mae": [round(q.mae, 3) for q in everything],
    }


def repeated(times: int, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run several times; give the run with the median of the worst PSNR, and all of them."""
    runs = sorted((run() for _ in range(times)), key=lambda figures: figures["worst_psnr_db"])
    return {**runs[times // 2], "worst_of_each_run_db": [r["worst_psnr_db"] for r in runs]}


def within(architecture: str, seconds: float, times: int) -> Case:
    """Give a case: the authors' own images with keyed slots, in a given time."""

    def case(data: Path) -> dict[str, Any]:
        images = seed_triple(data)
        training = FitConfig(max_seconds=seconds, seed=SEED)
        return repeated(
            times, lambda: told(hide_all(images, architecture=architecture, training=training))
        )

    return case


def six_faces(data: Path) -> dict[str, Any]:
    """Cover and five secrets in the paper's SIREN."""
    training = FitConfig(max_seconds=300.0, seed=SEED)
    return told(hide_all(faces(data, 6), architecture="siren", training=training))


def seventeen_faces(data: Path) -> dict[str, Any]:
    """Cover and sixteen secrets: what fields reach 42 dB, and in what time."""
    images = faces(data, 17)
    tried = {}
    for name, sizes in (
        ("grid, decoder of 128 units", {"width": 128}),
        (
            "grid, 12 features, decoder of 192 units",
            {"features": 12, "finest_features": 12, "width": 192},
        ),
    ):
        training = FitConfig(max_seconds=60.0, seed=SEED)
        result = told(hide_all(images, architecture="grid", sizes=sizes, training=training))
        result["mean_psnr_db"] = round(statistics.mean(result["psnr_db"]), 2)
        tried[name] = {k: v for k, v in result.items() if k not in ("ssim", "rmse", "mae")}
    return tried


def div2k_triples(data: Path) -> dict[str, Any]:
    """Five triples of DIV2K crops at 256x256, in grid fields of at most 400,000 weights."""
    sizes = {"features": 6, "finest_features": 4}
    runs = []
    for first in (801, 804, 807, 810, 813):
        training = FitConfig(max_seconds=100.0, seed=SEED)
        images = div2k(data, first)
        runs.append(told(hide_all(images, architecture="grid", sizes=sizes, training=training)))
        print(first, runs[-1]["psnr_db"], flush=True)
    return {
        "triples": runs,
        "mean_stego_psnr_db": round(statistics.mean(r["psnr_db"][0] for r in runs), 2),
        "mean_secret_psnr_db": round(
            statistics.mean(value for r in runs for value in r["psnr_db"][1:]), 2
        ),
        "mean_ssim": round(statistics.mean(value for r in runs for value in r["ssim"]), 4),
        "worst_psnr_db": min(r["worst_psnr_db"] for r in runs),
        "seconds_each": round(statistics.median(r["seconds"] for r in runs), 1),
    }


def papers_procedure(data: Path, seconds: float = PAPERS_SECONDS) -> dict[str, Any]:
    """Magnitude slots, Adam at 1e-3 on all points, against ours, by the time to reach 38 dB.

    The field of the authors' code, with its absolute error and Xavier values. To 38 dB it would
    take about a day, so its joint training is cut off after ``seconds``; the factors are then lower
    bounds. The time to fit the cover first is not counted against it.
    """
    images = seed_triple(data)
    joint: list[tuple[float, float]] = []

    def watch(progress: FitProgress) -> bool:
        if progress.step == 1:  # the joint training follows the cover's own fit
            joint.clear()
        joint.append((round(progress.seconds, 1), round(min(progress.psnr_db), 2)))
        return min(progress.psnr_db) >= COMPARED_DB

    result = hide_all(
        images,
        architecture="fourier",
        config=HideConfig(slots="magnitude", values="xavier"),
        training=FitConfig(
            optimizer="adam",
            batch=0,
            decay=0.0,
            warm_up=0,
            loss="l1",
            max_seconds=seconds * 7 / 5,
            seed=SEED,
        ),
        watch=watch,
    )
    reached = max(db for _, db in joint)
    theirs = next((at for at, db in joint if db >= COMPARED_DB), joint[-1][0])
    ours = {}
    for name, steps in (("fourier", 1000), ("siren", 600), ("grid", 600)):
        training = FitConfig(target_db=COMPARED_DB, steps=steps, seed=SEED)
        quick = hide_all(images, architecture=name, training=training)
        worst = told(quick)["worst_psnr_db"]
        ours[name] = {
            "seconds": round(quick.seconds, 1),
            "worst_psnr_db": worst,
            "times_faster": round(theirs / quick.seconds, 1) if worst >= COMPARED_DB else None,
        }
    return {
        "their_result": told(result),
        "their_joint_curve_seconds_db": joint[:: max(1, len(joint) // 30)],
        "their_joint_seconds": theirs,
        "their_psnr_db": reached,
        "psnr_db_compared_at": COMPARED_DB,
        "ours": ours,
    }


def showing(_: Path) -> dict[str, Any]:
    """Time of revealing at 128x128 and of rendering at 2048x2048, and the memory of the latter."""
    cover, secret, key = waves(128, 128), waves(128, 128, phase=1.0), Key(bytes(32))
    facts: dict[str, dict[str, Any]] = {}
    for name in fields.ARCHITECTURES:
        training = FitConfig(steps=2, seed=SEED)
        field = hiding.hide(
            cover, [Secret(secret, key)], architecture=name, training=training
        ).field
        facts[name] = {
            "reveal_128_seconds": timed(5, partial(hiding.reveal, field, key)),
            "render_2048_seconds": timed(3, partial(fields.render, field, (2048, 2048))),
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "field.safetensors"
            fields.save(path, field)
            KeyFile(key).write(Path(folder) / "key")
            command = [sys.executable, "-m", "stegfield"]
            out = ["-o", str(Path(folder) / "out.png")]
            facts[name]["render_2048_command"] = measured(
                [*command, "render", str(path), *out, "--size", "2048x2048"]
            )
            facts[name]["reveal_128_command"] = measured(
                [*command, "reveal", str(path), *out, "--force", "--key", str(Path(folder) / "key")]
            )
    return facts


def memory(data: Path) -> dict[str, Any]:
    """Peak memory of ``stegfield hide`` at 256x256, cover and two secrets."""
    folder = data / "images" / "div2k_valid_256"
    facts = {}
    for name in fields.ARCHITECTURES:
        with tempfile.TemporaryDirectory() as work:
            command = [sys.executable, "-m", "stegfield", "hide", str(folder / "0801.png")]
            command += ["-o", str(Path(work) / "f"), "--field", name, "--steps", "30"]
            for i in (1, 2):
                KeyFile(Key(bytes([i]) * 32)).write(Path(work) / f"{i}.key")
                command += ["--secret", str(folder / f"080{i + 1}.png"), f"{work}/{i}.key"]
            facts[name] = measured(command)
    return facts


def where_time_goes(data: Path) -> dict[str, Any]:
    """Profile the training step of the paper's SIREN with three images of 128x128."""
    images = seed_triple(data)
    field = fields.new_field(images[0], architecture="siren", seed=SEED)
    scheme = SlotScheme(ratio=field.slot_ratio)
    slots = [{}, *(key_slots(field, Key(bytes([i]) * 32), scheme) for i in (1, 2))]
    targets = [Target(image, slot) for image, slot in zip(images, slots, strict=True)]
    steps, batch = 60, FitConfig().batch
    fields.train(field, targets, FitConfig(steps=20, seed=SEED))
    start = time.perf_counter()
    run = fields.train(field, targets, FitConfig(steps=steps, seed=SEED))
    whole = (run.seconds or time.perf_counter() - start) / steps
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        fields.train(field, targets, FitConfig(steps=steps, seed=SEED))
    groups = {
        "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"),
        "sine and cosine": ("aten::sin", "aten::cos", "aten::sin_", "aten::cos_"),
        "multiplication, addition": ("aten::mul", "aten::add", "aten::add_", "aten::mul_"),
        "sums": ("aten::sum", "aten::mean"),
        "slots (scatter)": ("aten::scatter", "aten::scatter_"),
        "allocation and filling": ("aten::empty", "aten::empty_strided", "aten::fill_"),
    }
    own = {event.key: event.self_cpu_time_total / 1e6 for event in profiler.key_averages()}
    total = sum(own.values())
    shares = {
        name: round(sum(own.get(key, 0.0) for key in keys) / total, 3)
        for name, keys in groups.items()
    }
    matrices = [field.decoder.get_parameter(n) for n in field.slot_bounds()]
    first = matrices[0].numel()
    products = 6 * sum(m.numel() for m in matrices) - 2 * first  # no gradient to coordinates
    useful = products * batch * len(images)
    return {
        "milliseconds_a_step": round(1000 * whole, 1),
        "useful_gflop_a_second": round(useful / whole / 1e9, 1),
        "share_of_time": shares | {"the rest": round(1 - sum(shares.values()), 3)},
        "muon_milliseconds_a_step": muon_step(field, ours=True),
        "torch_muon_milliseconds_a_step": muon_step(field, ours=False),
    }


def muon_step(field: fields.Field, *, ours: bool) -> float:
    """Time one step of our Muon, or of torch's, on a field's matrices."""
    matrices = [field.decoder.get_parameter(n) for n in field.slot_bounds()]
    for matrix in matrices:
        matrix.grad = torch.randn_like(matrix)
    kind = fields.Muon if ours else torch.optim.Muon
    optimizer = kind(matrices, lr=1e-9)
    return round(1000 * timed(30, optimizer.step), 2)


CASES: dict[str, Case] = {
    "siren_40s": within("siren", 40.0, 3),
    "siren_100s": within("siren", 100.0, 3),
    "siren_300s": within("siren", 300.0, 1),
    "grid_20s": within("grid", 20.0, 3),
    "six_faces_siren_300s": six_faces,
    "seventeen_faces": seventeen_faces,
    "div2k_256": div2k_triples,
    "papers_procedure": papers_procedure,
    "showing": showing,
    "memory": memory,
    "where_time_goes": where_time_goes,
}


def main() -> None:
    """Measure the cases asked for, and write each as it is done."""
    parser = arguments(__doc__, CASES, Path("results/hiding.json"))
    parser.add_argument("--papers-seconds", type=float, default=PAPERS_SECONDS)
    given = parser.parse_args()
    cases = CASES | {"papers_procedure": partial(papers_procedure, seconds=given.papers_seconds)}
    run(cases, given.only, given.data, given.output)


if __name__ == "__main__":
    main()
