"""Fuzz what reads files of strangers: python tests/fuzz/fuzz.py --cases 100000.

A case is a valid small file of some format with a few bytes changed, cut, doubled or taken from
another. It is read in a worker process, whose memory is bounded, and ends well if it is read, or
refused with an error of ours. Any other exception, 10 seconds without an end, the death of the
worker or a growth of more than 700 MB is a failure: the case is written to a file. The number of a
case and the seed make it again.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from corpus import Format, formats

from stegfield.errors import StegfieldError

SECONDS = 10.0
"""Of a processor, so that what else the machine does is not counted."""
PATIENCE = 12
"""Times as many seconds by the clock."""
GROWTH = 700 << 20
ADDRESSES = 6 << 30
"""Bytes of addresses that a worker may have; most of them are never touched."""
TOLD_EVERY = 1000
INFLATED = 1 << 22
"""Most bytes of a zip's member whose checksum is mended."""
WORDS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\xff\xff", b"\0\0")
TEXTS = (b"Infinity", b"NaN", b"-1", b"1e999", b"[]", b"{}", b"null", b"9" * 40, b'"', b"\n")


def mutated(draws: random.Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """Change a file in one to eight places."""
    file = bytearray(data)
    for _ in range(draws.choice((1, 1, 1, 2, 3, 5, 8))):
        # headers are at the beginning, and decide most
        end = len(file) if draws.random() < 0.5 else min(len(file), 128)
        at = draws.randrange(end + 1)
        length = draws.choice((1, 2, 4, 8, 16, 64, 256))
        match draws.randrange(8):
            case 0 | 1:
                file[at : at + 1] = bytes([draws.randrange(256)])
            case 2:
                if at < len(file):
                    file[at] ^= 1 << draws.randrange(8)
            case 3:
                word = draws.choice(WORDS)
                file[at : at + len(word)] = word
            case 4:
                text = draws.choice(TEXTS)
                file[at : at + draws.choice((0, len(text)))] = text
            case 5:
                del file[at : at + length]
            case 6:
                file[at:at] = file[at : at + length]
            case _:
                other = draws.choice(others)
                there = draws.randrange(len(other))
                file[at : at + length] = other[there : there + length]
    return bytes(file[: draws.randrange(len(file) + 1)] if draws.random() < 0.1 else file)


def case(number: int, seed: int, every: list[Format]) -> tuple[Format, bytes]:
    """Make a case again by its number."""
    draws = random.Random(f"{seed}:{number}")
    chosen = draws.choices(every, [1 / each.cost for each in every])[0]
    data = mutated(draws, draws.choice(chosen.files), chosen.files)
    return chosen, with_sums(data) if draws.random() < 0.7 else data


def with_sums(data: bytes) -> bytes:
    """Mend the checksums of a PNG or a zip, without which a reader looks no further."""
    if data.startswith(b"\x89PNG"):
        return _with_png_sums(data)
    return _with_zip_sums(data) if data.startswith(b"PK") else data


def _with_png_sums(data: bytes) -> bytes:
    file, at = bytearray(data), 8
    while at + 12 <= len(file):
        end = at + 8 + struct.unpack_from(">I", file, at)[0]
        if end + 4 > len(file):
            break
        struct.pack_into(">I", file, end, zlib.crc32(file[at + 4 : end]))
        at = end + 4
    return bytes(file)


def _with_zip_sums(data: bytes) -> bytes:
    """Put the CRC of what each member inflates to into both of its headers."""
    file, at = bytearray(data), data.find(b"PK\1\2")
    while 0 <= at <= len(file) - 46:
        method, packed = struct.unpack_from("<H8xI", file, at + 10)[0:2]
        (local,) = struct.unpack_from("<I", file, at + 42)
        if file[local : local + 4] == b"PK\3\4" and local + 30 <= len(file):
            start = local + 30 + sum(struct.unpack_from("<HH", file, local + 26))
            held = bytes(file[start : start + packed])
            with contextlib.suppress(zlib.error):
                plain = zlib.decompressobj(-15).decompress(held, INFLATED) if method else held
                for place in (at + 16, local + 14):
                    struct.pack_into("<I", file, place, zlib.crc32(plain))
        at = file.find(b"PK\1\2", at + 4)
    return bytes(file)


def work(pipe: Connection, every: list[Format], folder: Path) -> None:
    """Read cases as they come, and tell of each what became of it and how much memory it took."""
    most = memory("VmSize") + ADDRESSES  # what this process was forked from may have much already
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    readers = {each.name: each.read for each in every}
    while True:
        name, data = pipe.recv()
        path = folder / f"case{suffix_of(name)}"
        path.write_bytes(data)
        before = memory("VmRSS", reset=True)
        try:
            readers[name](data, path)
        except StegfieldError as error:
            text = str(error)
            told = "refused" if "\n" not in text else f"a message of several lines: {text!r}"
        except MemoryError:
            told = "refused"  # the command line has words for it
        except BaseException:
            told = traceback.format_exc()
        else:
            told = "read"
        pipe.send((told, memory("VmHWM") - before))


def suffix_of(name: str) -> str:
    """Return the suffix of files of a format, which tells the medium of some of them.

    Example:
        >>> suffix_of(".gif of frames"), suffix_of("jobs.csv"), suffix_of("field")
        ('.gif', '.csv', '.safetensors')
    """
    return Path(f"case{name}").suffix.partition(" ")[0] or ".safetensors"


def memory(entry: str, *, reset: bool = False) -> int:
    """Return bytes of memory that this process has now, or had at most since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(entry):
            return int(line.split()[1]) << 10
    return 0


class Worker:
    """A process that reads cases, started anew after it died or hung."""

    def __init__(self, every: list[Format], folder: Path) -> None:
        self._every, self._folder = every, folder
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self._process = context.Process(
            target=work, args=(theirs, self._every, self._folder), daemon=True
        )
        self._process.start()
        theirs.close()

    def judge(self, name: str, data: bytes) -> str:
        """Read a case, and return "read", "refused" or what is wrong."""
        self._pipe.send((name, data))
        try:
            began, before = time.monotonic(), self._seconds()
            while not self._pipe.poll(SECONDS / 20):
                if self._seconds() - before > SECONDS:
                    return self._again(f"it takes more than {SECONDS:g} s")
                if time.monotonic() - began > PATIENCE * SECONDS:
                    return self._again(f"it waits for more than {PATIENCE * SECONDS:g} s")
            told, growth = self._pipe.recv()
        except (EOFError, ConnectionError):
            return self._again("the worker died")
        if growth > GROWTH:
            return f"it takes {growth >> 20} MB"
        return str(told)

    def _seconds(self) -> float:
        """Return the time of a processor that the worker has had."""
        try:
            entries = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has died, as the pipe will tell
            return 0.0
        return sum(map(int, entries[11:15])) / os.sysconf("SC_CLK_TCK")

    def _again(self, why: str) -> str:
        self.end()
        self._start()
        return why

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def fuzz(cases: int, seed: int, output: Path, only: str | None = None, *, first: int = 0) -> int:
    """Read so many cases from the first on, write those that fail, and return how many did."""
    every = [each for each in formats() if only is None or each.name == only]
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(every, Path(folder))
        for each in every:
            for data in each.files:
                judged = worker.judge(each.name, data)
                if judged not in {"read", "refused"}:
                    raise SystemExit(f"a valid file of {each.name} fails: {judged}")
        for number in range(first, first + cases):
            chosen, data = case(number, seed, every)
            judged = worker.judge(chosen.name, data)
            counts[f"{chosen.name} {judged}" if judged in {"read", "refused"} else "failed"] += 1
            if judged not in {"read", "refused"}:
                failures[chosen.name] += 1
                output.mkdir(parents=True, exist_ok=True)
                stem = f"{seed}-{number}"
                (output / f"{stem}.case").write_bytes(data)
                (output / f"{stem}.txt").write_text(f"{chosen.name}\n{judged}\n")
                print(f"case {number} of {chosen.name}: {judged.splitlines()[-1]}", flush=True)
            if (number + 1) % TOLD_EVERY == 0:
                a_second = (number + 1 - first) / (time.monotonic() - began)
                print(f"{number + 1:,} cases, {a_second:.0f} a second", flush=True)
        worker.end()
    for name, count in sorted(counts.items()):
        print(f"{count:8,} {name}")
    begun = f" from {first:,} on" if first else ""
    print(f"{cases:,} cases of seed {seed}{begun}: {sum(failures.values())} failed")
    return sum(failures.values())


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case, to resume")
    parser.add_argument("--output", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--only", help="name of one format")
    given = parser.parse_args()
    failed = fuzz(given.cases, given.seed, given.output, given.only, first=given.first)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
