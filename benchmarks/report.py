"""The table of the README, from ``results/hiding.json``.

python benchmarks/report.py [--write]    # prints it, or puts it into README.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent.parent
START, END = "<!-- figures -->\n", "<!-- end of figures -->"


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
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    machine = results["where_time_goes"]["machine"]
    return (
        "\n".join([head, "|---|---|---|", *body])
        + f"\n\nMeasured on {machine['cores']} shared cores of an {machine['processor']} "
        f"({machine['vector_unit']}), torch {machine['torch']}; PSNR over RGB on 8-bit samples, "
        "cover first. Times vary with what else the machine does: a product of 2048x128 and "
        "128x128 matrices ran at "
        + ", ".join(
            f"{case['machine']['matmul_gflop_a_second']:.0f}"
            for case in results.values()
            if "matmul_gflop_a_second" in case["machine"]
        )
        + " GFLOP/s before the cases that noted it. Grid fields carry their secrets without "
        "concealing them.\n"
    )


def _images(values: list[float]) -> str:
    return " / ".join(f"{value:.1f}" for value in values)


def main() -> None:
    """Print the table, or write it."""
    text = table(json.loads((HOME / "results" / "hiding.json").read_text()))
    if "--write" not in sys.argv:
        print(text)
        return
    readme = HOME / "README.md"
    before, rest = readme.read_text().split(START)
    readme.write_text(before + START + text + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
