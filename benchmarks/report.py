"""The tables of the documents, from files of ``results``.

python benchmarks/report.py [--write]    # prints them, or puts them into README.md and docs
"""

from __future__ import annotations

import json
import math
import sys
from functools import partial
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent.parent
PAPERS = {
    1: "34.5 dB, 2.5 s",
    2: "28.4 dB, 14.9 s",
    3: "29.6 dB, 16.5 s",
    4: "27.1 dB, 0.19 % wrong, 26.4 s",
}
"""What GINR-Stega tells of 64x64 faces: luma PSNR of the float image, on a GPU."""
WANTED = {1: "56 dB, 0.5 s", 2: "52 dB, 1 s", 3: "48 dB, 2 s", 4: "44 dB, 3 s"}


def embedding_table(results: dict[str, Any]) -> str:
    """Give the Markdown table of what was measured of embedding."""
    rows = [("measured", "wanted", "came to"), *map(partial(_rate, results["rates"]), WANTED)]
    case = results["kodak_1_bpp"]
    came = (
        f"exact, mean {case['mean_psnr_db']:.1f}, worst {case['worst_psnr_db']:.1f} dB, "
        f"{case['median_seconds']:.1f} s, slowest {case['slowest_seconds']:.1f} s"
    )
    rows.append(("all 24 Kodak images, 768x512, 1 bpp", "exact, 55 dB, 10 s each", came))
    rows.append(("extract from one of these", "1 s", f"{case['extract_seconds']:.2f} s"))
    case = results["kodak_1000_bytes"]
    came = f"mean {case['mean_psnr_db']:.1f} dB, {case['median_seconds']:.1f} s"
    rows.append(("1,000 bytes in each Kodak image", "70 dB, 3 s", came))
    case = results["sizes"]
    slope = case["seconds_a_megapixel"]
    rows += [
        (
            f"{size} at 1 bpp, as commands, imports included",
            "12 MP: 300 s, 2 GB; extract 10 s" if size == "4000x3000" else "time linear in pixels",
            f"embed {grown['embed_command']['seconds']:.1f} s, "
            f"{grown['embed_command']['peak_megabytes']:,} MB; "
            f"extract {grown['extract_command']['seconds']:.1f} s, "
            f"{grown['extract_command']['peak_megabytes']:,} MB",
        )
        for size, grown in case.items()
        if isinstance(grown, dict) and size != "machine"
    ]
    rows.append(("slope of these", "", f"{slope:.1f} s a megapixel"))
    case = results["lossy"]
    came = f"mean {case['mean_psnr_db']:.1f}, worst {case['worst_psnr_db']:.1f} dB; came back: "
    came += ", ".join(f"{name} {count}" for name, count in case["came_back"].items())
    rows.append(
        (
            "512 bytes in each of 24 Kodak images, `robust` profile",
            "24 after JPEG 70-95 and WebP 80, >= 40 dB",
            came,
        )
    )
    case = results["compiled"]
    rows.append(
        ("the solver's loops in numpy, beside machine code", "", f"{case['ratio']} times slower")
    )
    for rate, case in results["papers_procedure"].items():
        if rate != "machine":
            ours = results["rates"][f"{rate}, faces, texture"]
            came = (
                f"{_descent(case)} (luma {case['luma_psnr_db']:.1f}), {case['seconds']:.0f} s; "
                f"ours takes {case['seconds'] / ours['median_seconds']:.0f} times less"
            )
            rows.append((f"the paper's network and solver, one network, {rate}, 2 faces", "", came))
    rows += [
        (
            f"{name}: SteganoGAN's released basic network, 2 faces",
            "",
            f"{_descent(case)}, {case['seconds']:.1f} s",
        )
        for name, case in results["published"].items()
        if name != "machine"
    ]
    told = " PSNR over RGB on the file as written and read again, times of whole calls.\n"
    return _markdown(rows) + "\n" + _told_of(results["rates"]["machine"]) + told


def _descent(case: dict[str, Any]) -> str:
    return f"{case['wrong_share']:.2%} of the bits wrong in the file, {case['psnr_db']:.1f} dB"


def _rate(rates: dict[str, Any], bpp: int) -> tuple[str, str, str]:
    came = []
    both: list[dict[str, Any]] = []
    for prices in ("texture", "flat"):
        cases = [rates[f"{bpp} bpp, {kind}, {prices}"] for kind in ("faces", "crops")]
        psnr = " / ".join(f"{case['mean_psnr_db']:.1f}" for case in cases)
        luma = " / ".join(f"{case['mean_luma_psnr_db']:.1f}" for case in cases)
        came.append(f"{prices} {psnr} dB (luma {luma})")
        both += cases
    wrong = sum(case["wrong_messages"] for case in both)
    seconds = max(case["median_seconds"] for case in both)
    return (
        f"{bpp} bpp, full: 50 faces / 50 Kodak crops, 64x64; the paper: {PAPERS[bpp]}",
        f"0 wrong, {WANTED[bpp]}",
        f"{wrong} wrong; {', '.join(came)}; {seconds:.2f} s; "
        f"the limit of changes by 1 is {_limit_db(bpp):.1f} dB",
    )


def table(results: dict[str, Any]) -> str:
    """Give the Markdown table of all that was measured."""
    rows = [("measured", "wanted", "came to")]
    wanted = {"siren_40s": "42 dB in 40 s", "siren_100s": "47 dB in 100 s"}
    wanted |= {"siren_300s": "50 dB in 300 s", "grid_20s": "42 dB in 20 s"}
    for name, goal in wanted.items():
        case = results[name]
        kind = "grid" if name.startswith("grid") else "SIREN 8x128"
        came = f"{_images(case['psnr_db'])} dB in {case['seconds']:.0f} s"
        rows.append((f"cover + 2 secrets, 128x128, {kind}, keyed", f"all >= {goal}", came))
    case = results["six_faces_siren_300s"]
    came = f"worst {case['worst_psnr_db']:.1f} dB in {case['seconds']:.0f} s"
    rows.append(("cover + 5 secrets, 128x128 faces, SIREN 8x128", "all >= 42 dB in 300 s", came))
    for name, case in results["seventeen_faces"].items():
        if name != "machine":
            came = (
                f"worst {case['worst_psnr_db']:.1f} dB, mean {case['mean_psnr_db']:.1f} dB "
                f"in {case['seconds']:.0f} s with {case['weights']:,} weights"
            )
            rows.append((f"cover + 16 secrets, 128x128 faces, {name}", "reported", came))
    case = results["div2k_256"]
    rows.append(
        (
            f"DIV2K 256x256, cover + 2 secrets, mean of {len(case['triples'])} triples, grid of "
            f"{case['triples'][0]['weights']:,} weights",
            "stego >= 43 dB, secrets >= 42 dB, SSIM >= 0.99, in 600 s",
            f"stego {case['mean_stego_psnr_db']:.1f} dB, secrets "
            f"{case['mean_secret_psnr_db']:.1f} dB, SSIM {case['mean_ssim']:.4f}, in "
            f"{case['seconds_each']:.0f} s each",
        )
    )
    case = results["papers_procedure"]
    wanted_db, reached_db = case["psnr_db_compared_at"], case["their_psnr_db"]
    least = "" if reached_db >= wanted_db else "at least "
    faster = ", ".join(
        f"{name} {ours['seconds']:.1f} s ({least}{ours['times_faster']:.0f} times faster)"
        if ours["times_faster"] is not None
        else f"{name} not ({ours['worst_psnr_db']:.1f} dB in {ours['seconds']:.0f} s)"
        for name, ours in case["ours"].items()
    )
    rows.append(
        (
            "the paper's procedure: magnitude slots, Adam, full batches",
            "measured up to 38 dB; ours 10 times faster",
            f"{reached_db:.1f} dB after {case['their_joint_seconds']:.0f} s of joint training, "
            f"where this run ended; ours reaches {wanted_db:.1f} dB: {faster}",
        )
    )
    for name, case in results["showing"].items():
        if name != "machine":
            command = case["render_2048_command"]
            came = (
                f"{case['reveal_128_seconds']:.2f} s / {case['render_2048_seconds']:.1f} s; as "
                f"commands, with all imports, {case['reveal_128_command']['seconds']:.1f} s / "
                f"{command['seconds']:.1f} s, {command['peak_megabytes']} MB"
            )
            rows.append(
                (f"reveal 128x128 / render 2048x2048, {name}", "1 s / 10 s, under 1 GB", came)
            )
    came = ", ".join(
        f"{name} {case['peak_megabytes']} MB"
        for name, case in results["memory"].items()
        if name != "machine"
    )
    rows.append(("peak memory of `stegfield hide` at 256x256", "under 1.5 GB", came))
    case = results["where_time_goes"]
    shares = ", ".join(f"{name} {share:.0%}" for name, share in case["share_of_time"].items())
    rows.append(
        (
            "training step of the SIREN, three images",
            "100 GFLOP/s of useful float32 work",
            f"{case['useful_gflop_a_second']:.0f} GFLOP/s, {case['milliseconds_a_step']:.0f} ms: "
            f"{shares}",
        )
    )
    return (
        _markdown(rows)
        + "\n"
        + _told_of(results["where_time_goes"]["machine"])
        + " PSNR over RGB on 8-bit samples, cover first. Times vary with what else the machine "
        "does: a product of 2048x128 and "
        "128x128 matrices ran at "
        + ", ".join(
            f"{case['machine']['matmul_gflop_a_second']:.0f}"
            for case in results.values()
            if "matmul_gflop_a_second" in case["machine"]
        )
        + " GFLOP/s before the cases that noted it. Grid fields carry their secrets without "
        "concealing them.\n"
    )


def generating_table(results: dict[str, Any]) -> str:
    """Give the Markdown table of what was measured of drawn covers."""
    drawing, sending, sharing = (results[name] for name in ("drawing", "sending", "sharing"))
    rows = [
        ("measured", "wanted", "came to"),
        ("load the model `faces`", "0.5 s", f"{drawing['load_seconds'] * 1000:.0f} ms"),
        ("draw a 64x64 cover", "50 ms", f"{drawing['cover_64_seconds'] * 1000:.0f} ms"),
        (
            "draw a 1024x1024 cover",
            "5 s, under 1 GB",
            f"{drawing['cover_1024_seconds']:.1f} s; as a command, imports included, "
            f"{drawing['cover_1024_command']['seconds']:.1f} s, "
            f"{drawing['cover_1024_command']['peak_megabytes']} MB",
        ),
        (
            "draw a 64x64 cover and fill it at 1 bit a pixel; the paper: 3.3 s on a GPU",
            "1 s",
            f"{sending['median_seconds']:.2f} s, {sending['mean_psnr_db']:.1f} dB",
        ),
        (
            "a convolution of the critic at 32x32, 64 to 128 channels: neighbourhoods and weights "
            "once for a batch and not for each sample",
            "5 times faster",
            _times(sharing["ratio"], sharing.get("batched_ratio")),
        ),
    ]
    for size, case in results.get("sharing_critic", {}).items():
        if size != "machine":
            rows.append(
                (
                    f"the critic of `faces` at {size} likewise; beside PointConv as published, "
                    "which has a density for each point of each sample too",
                    "5 times faster",
                    f"{_times(case['direct_ratio'], case.get('batched_ratio'))}; "
                    f"{case['published_ratio']} times",
                )
            )
    known, blind = (results["known_cover"][way] for way in ("cover known", "blind"))
    back = "messages back, %: "
    outlasted = [
        name.removeprefix(back)
        for name in known
        if name.startswith(back) and (known[name], blind[name]) == (100, 0)
    ]
    rows.append(
        (
            "16 bytes in drawn faces of 256x256, `robust` profile, with `--known-cover`",
            "",
            f"{known['message_psnr_db']:.1f} dB, without it {blind['message_psnr_db']:.1f} dB; all "
            f"messages outlast {' and '.join(outlasted)} as well, where the other way none does",
        )
    )
    for size, case in results["training"].items():
        if size != "machine":
            shares = ", ".join(
                f"{part} {share:.0%}" for part, share in case["share_of_time"].items()
            )
            came = f"{case['examples_a_second']:.0f} images a second: {shares}"
            rows.append((f"training of `faces` at {size}, float32", "", came))
    return _markdown(rows) + "\n" + _told_of(drawing["machine"]) + "\n"


def _times(one_by_one: float, batched: float | None) -> str:
    """Say how many times faster, than all samples at once and than one after the other."""
    if batched is None:  # results from before both were measured
        return f"{one_by_one} times"
    return f"{batched} times, or {one_by_one} times if samples are taken one by one"


def batches_table(results: dict[str, Any]) -> str:
    """Give the Markdown table of what was measured of batches."""
    case = results["embed_256"]
    rows = [("measured", "wanted", "came to")]
    for name, way in case.items():
        if isinstance(way, dict) and "a_second" in way:
            rows.append(
                (
                    f"`batch`, {name}: {way['jobs']:,} messages of {case['message_bytes']:,} bytes "
                    "in 256x256 images",
                    "linear in cores" if "processes" in name else "",
                    f"{way['a_second']:.2f} a second, {way['times_one_core']:.2f} times one core",
                )
            )
    return _markdown(rows) + "\n" + _told_of(case["machine"]) + "\n"


def _limit_db(bpp: int) -> float:
    """Give the PSNR at which the entropy of changes by one level of RGB samples is the rate."""
    low, high = 0.0, 2 / 3  # of the share of samples that change, up or down alike
    for _ in range(60):
        share = (low + high) / 2
        entropy = -share * math.log2(share / 2) - (1 - share) * math.log2(1 - share)
        low, high = (share, high) if entropy < bpp / 3 else (low, share)
    return 10 * math.log10(255**2 / low)


def _markdown(rows: list[tuple[str, str, str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---|---|---|", *body]) + "\n"


def _told_of(machine: dict[str, Any]) -> str:
    return (
        f"Measured on {machine['cores']} shared cores of an {machine['processor']} "
        f"({machine['vector_unit']}), torch {machine['torch']}."
    )


def _images(values: list[float]) -> str:
    return " / ".join(f"{value:.1f}" for value in values)


def media_table(results: dict[str, Any]) -> str:
    """Give the Markdown tables of pairs of media, and of messages in sounds."""
    covers = [name.removesuffix(" alone") for name in results if name.endswith(" alone")]
    pairs = [name.split(" in ") for name in results if " in " in name]
    secrets = list(dict.fromkeys(secret for secret, _ in pairs))
    lines = [f"| secret | {' | '.join(f'in {cover}' for cover in covers)} |"]
    lines.append("|---" * (len(covers) + 1) + "|")
    lines.append(
        "| nothing | "
        + " | ".join(f"cover {_likeness(results[f'{each} alone']['cover'])}" for each in covers)
        + " |"
    )
    for secret in secrets:
        cells = []
        for cover in covers:
            case = results.get(f"{secret} in {cover}")
            told = "-"
            if case is not None:
                told = f"{_likeness(case['secret'])}; cover {_likeness(case['cover'])}"
            cells.append(told)
        lines.append(f"| {secret} | {' | '.join(cells)} |")
    figures = results["messages"]
    lines += ["", "| messages in sounds | wrong | SNR, mean / worst | samples changed |"]
    lines.append("|---|---|---|---|")
    lines += [
        f"| {name} | {each['wrong']} of {figures['sounds']} | "
        f"{each['mean_snr_db']:.1f} / {each['worst_snr_db']:.1f} dB | {each['changed']:.1%} |"
        for name, each in figures.items()
        if isinstance(each, dict) and name != "machine"
    ]
    return "\n".join(lines) + "\n\n" + _told_of(figures["machine"]) + "\n"


def _likeness(figures: dict[str, Any]) -> str:
    """Give the figure that suits a medium."""
    for name, text in (
        ("snr_db", "SNR {:.1f} dB"),
        ("rmse_kelvin", "{:.2g} K"),
        ("iou", "IoU {:.3f}"),
    ):
        if name in figures:
            return text.format(figures[name])
    return f"{figures['psnr_db']:.1f} dB"


HEADLINES = (
    "1 bpp, full",
    "2 bpp, full",
    "3 bpp, full",
    "4 bpp, full",
    "all 24 Kodak images",
    "1,000 bytes in each Kodak image",
    "512 bytes in each of 24 Kodak images",
    "draw a 64x64 cover and fill it",
    "cover + 2 secrets, 128x128, SIREN 8x128, keyed | all >= 50 dB",
    "DIV2K 256x256",
    "the paper's procedure",
)
"""How the rows begin that the README shows."""
TABLES = (
    ("embedding", embedding_table),
    ("generating", generating_table),
    ("hiding", table),
    ("media", media_table),
    ("batches", batches_table),
)
DOCUMENTS = (HOME / "README.md", HOME / "docs" / "results.md", HOME / "docs" / "media.md")


def tables() -> dict[str, str]:
    """Give the table of each file of results, and the headlines of all."""
    made = {
        name: make(json.loads((HOME / "results" / f"{name}.json").read_text()))
        for name, make in TABLES
    }
    lines = [line for text in made.values() for line in text.splitlines()]
    head = [line for line in lines if line.startswith("|")][:2]
    rows = [line for start in HEADLINES for line in lines if line.startswith(f"| {start}")]
    return {**made, "main": "\n".join([*head, *rows]) + "\n"}


def filled(text: str) -> str:
    """Put the tables of today into a document, where it has marks for them."""
    for name, figures in tables().items():
        start, end = f"<!-- {name} figures -->\n", f"<!-- end of {name} figures -->"
        if start in text:
            before, rest = text.split(start)
            text = before + start + figures + end + rest.split(end)[1]
    return text


def main() -> None:
    """Print the tables, or write them."""
    for document in DOCUMENTS if "--write" in sys.argv else ():
        document.write_text(filled(document.read_text()))
    if "--write" not in sys.argv:
        print("\n".join(tables().values()))


if __name__ == "__main__":
    main()
