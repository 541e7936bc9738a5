"""Runs of the Hide tab: what is trained, how far it is, and what comes of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from stegfield import fields, hiding, signals
from stegfield.app.session import Visit
from stegfield.app.work import thumbnail
from stegfield.config import FitConfig
from stegfield.errors import Caution
from stegfield.fields import Field, FitProgress
from stegfield.hiding import Secret
from stegfield.keys import Key, Passphrase
from stegfield.signals import Signal
from stegfield.watching import time_left

EVERY = 2.0
"""Seconds between two previews."""
PREVIEW_SIDE, GAP = 128, 4
Watch = Callable[[FitProgress], bool]
Seen = tuple[str, str | None]
"""How far a run is, in words, and the path of a preview."""
Uploads = Sequence[tuple[str | None, str]]
"""The path of each, and what it is, as an error says it."""
Keys = Sequence[Key | Passphrase | None]
"""The key of each secret; None for a decoy's, which is forgotten."""


@dataclass(frozen=True)
class Hidden:
    """A field with secrets in it."""

    field: Field
    told: str
    """What the run took and reached."""
    cautions: Sequence[Caution] = ()


@dataclass(frozen=True)
class Run:
    """What is hidden where."""

    cover: Signal
    secrets: Sequence[Secret]
    """Those that the field shows."""
    train: Callable[[str | None, FitConfig, Watch], Hidden]
    """Takes an architecture, the plan, and a function that watches."""


def of_files(visit: Visit, cover_path: str | None, secrets: Uploads, keys: Keys) -> Run:
    """Read the cover, and hide files in a field of it; those without a key are decoys."""
    for path, what in secrets:
        visit.data(path, what)
    [cover] = visit.signals([(cover_path, "the cover")])
    given = [(Path(str(path)), key) for (path, _), key in zip(secrets, keys, strict=True)]

    def train(architecture: str | None, training: FitConfig, watch: Watch) -> Hidden:
        made = hiding.hide(
            cover,
            [(path, key) for path, key in given if key is not None],
            decoys=[path for path, key in given if key is None],
            architecture=architecture,
            training=training,
            watch=watch,
        )
        sizes = ", ".join(f"{size:,}" for size in made.message_bytes)
        return Hidden(
            made.field,
            f"Files of {sizes} bytes in {made.seconds:.0f} s. Cover {made.quality.psnr_db:.1f} dB; "
            f"room for {made.room.longest:,} bytes more",
        )

    return Run(cover, (), train)


def of_functions(visit: Visit, cover_path: str | None, secrets: Uploads, keys: Keys) -> Run:
    """Read the cover and the secrets, and train a field that shows them; see `of_files`."""
    cover, *shown = visit.signals([(cover_path, "the cover"), *secrets])
    pairs = zip(shown, keys, strict=True)
    all_secrets = [Secret.decoy(s) if key is None else Secret(s, key) for s, key in pairs]

    def train(architecture: str | None, training: FitConfig, watch: Watch) -> Hidden:
        made = hiding.hide_functions(
            cover, all_secrets, architecture=architecture, training=training, watch=watch
        )
        figures = ", ".join(f"{each.quality.psnr_db:.1f}" for each in made.secrets)
        return Hidden(
            made.field,
            f"{made.steps:,} steps in {made.seconds:.0f} s. Cover {made.cover.psnr_db:.1f} dB, "
            f"secrets {figures} dB",
            made.cautions,
        )

    return Run(cover, all_secrets, train)


def _small(signal: Signal) -> tuple[int, ...]:
    return signals.scaled(signal.size, min(PREVIEW_SIDE, max(signal.size)))


def apart(
    work: Callable[[Watch], Hidden],
    asked: threading.Event,
    look: Callable[[FitProgress], Seen],
) -> Iterator[Seen | Hidden]:
    """Run in a thread; yield previews now and then, and the result at the end.

    The run winds down when it is asked to, and when nobody listens any more. Previews are rendered
    between two steps, since a step uses the weights.
    """
    latest: queue.Queue[Seen] = queue.Queue(maxsize=1)
    ended: queue.Queue[Hidden | BaseException] = queue.Queue()
    last = time.monotonic()

    def watch(progress: FitProgress) -> bool:
        nonlocal last
        if time.monotonic() - last > EVERY and latest.empty():
            latest.put(look(progress))
            last = time.monotonic()
        return asked.is_set()

    def run() -> None:
        try:
            ended.put(work(watch))
        except BaseException as error:  # raised again in the other thread
            ended.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            with suppress(queue.Empty):
                yield latest.get(timeout=0.2)
        outcome = ended.get()
        if isinstance(outcome, BaseException):
            raise outcome
        yield outcome
    finally:
        asked.set()


def progress_told(progress: FitProgress) -> str:
    """Say how good the cover and the secrets are now, and how long it takes."""
    names = ["cover", *(f"secret {number}" for number in range(1, len(progress.psnr_db)))]
    pairs = zip(names, progress.psnr_db, strict=False)
    figures = " · ".join(f"{name} **{psnr_db:.1f} dB**" for name, psnr_db in pairs)
    told = progress.told(names)
    left = "" if told.seconds_left is None else time_left(told.seconds_left)
    return f"{figures}\n\n{', '.join(filter(None, (told.counted, left)))}"


def so_far(progress: FitProgress, run: Run) -> Image.Image | None:
    """Draw the cover, and the secrets that the field shows, as they are now, side by side."""
    if progress.field is None:
        return None
    field = progress.field
    revealed = [
        hiding.reveal_function(field, secret.key, size=_small(secret.signal)).signal
        for secret in run.secrets
        if secret.signal.medium is run.cover.medium  # folded signals make no sense before the end
    ]
    shown = [fields.render(field, _small(run.cover)), *revealed]
    pictures = [thumbnail(signal, PREVIEW_SIDE) for signal in shown]
    width = sum(each.width + GAP for each in pictures) - GAP
    strip = Image.new("RGB", (width, max(each.height for each in pictures)), "white")
    at = 0
    for each in pictures:
        strip.paste(each, (at, 0))
        at += each.width + GAP
    return strip
