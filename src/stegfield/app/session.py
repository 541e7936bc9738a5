"""What all tabs share: limits, temporary files, and errors as sentences."""

from __future__ import annotations

import html
import inspect
import logging
import math
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from stegfield import files, signals
from stegfield.app import bounded
from stegfield.app.visitors import Visitors, stored, visitor_of
from stegfield.app.wording import advice, noted, sentence
from stegfield.app.work import Upload, decoded
from stegfield.config import AppConfig
from stegfield.errors import InputError, StegfieldError
from stegfield.keys import Key, KeyFile, Passphrase, check_strength
from stegfield.signals import Signal

LOG = logging.getLogger(__name__)
TOKEN_BYTES = 24
FULL = "there is no room for more files"
FULL_HINT = "close other pages of stegfield, or try again later"
CLOSED, CLOSED_HINT = "the page was closed", "open it again"
DEFECT = "This should not have happened. The server's log says more."
Update = dict[Any, Any]
"""New values of components; the others stay as they are."""


@dataclass(frozen=True)
class Desk:
    """What all visitors share: limits, folders and locks."""

    limits: AppConfig
    visitors: Visitors
    looking: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(2))
    """Limits how many files are decoded at a time, previews included."""

    coming: Counter[str] = field(default_factory=Counter)
    """Bytes of each visitor's uploads under way."""

    def has_room(self, visitor: str, size: int) -> bool:
        """Return whether ``size`` more bytes fit beside the files of all visitors.

        Those of one address may take half of the room, however many visitors they pose as.
        """
        most = self.limits.max_stored * 1_000_000
        if stored(self.visitors.folder) + self.coming.total() + size > most:
            return False
        return all(
            sum(stored(self.visitors.home(each)) + self.coming[each] for each in group) + size
            <= most / 2
            for group in self.visitors.beside(visitor)
        )

    def visit(self, request: gr.Request) -> Visit:
        """Return the visit that a request comes from."""
        return Visit(self, visitor_of(request.cookies), str(request.session_hash))


@dataclass(frozen=True)
class Visit:
    """One page of one visitor: reads their uploads, and keeps their results."""

    desk: Desk
    visitor: str
    page: str

    @property
    def limits(self) -> AppConfig:
        """What the visitor may ask for."""
        return self.desk.limits

    def put(self, name: str, data: bytes) -> str:
        """Write a file for the visitor to download, and return its path.

        Raises:
            StegfieldError: The visitor has left, or there is no room for more files.
        """
        if not self.desk.has_room(self.visitor, len(data)):
            raise StegfieldError(FULL, hint=FULL_HINT)
        place = self.desk.visitors.home(self.visitor) / secrets.token_hex(TOKEN_BYTES)
        try:
            place.mkdir(mode=0o700)
            files.write_new(place / name, data, private=True)
        except (OSError, StegfieldError):
            if self._is_open():
                raise
        if not self._is_open():
            self.desk.visitors.sweep()
            raise StegfieldError(CLOSED, hint=CLOSED_HINT)
        return str(place / name)

    def _is_open(self) -> bool:
        return bool(self.desk.visitors.pages(self.visitor))

    def signals(self, uploads: Sequence[tuple[str | None, str]]) -> list[Signal]:
        """Read signals that were uploaded, whose points together are bounded.

        Args:
            uploads: The path of each, and what it is, as an error says it.

        Raises:
            InputError: No file was uploaded, or it is too large.
            StegfieldError: A file cannot be read, has too many points, or takes too long.
        """
        given = [self.file(upload, what) for upload, what in uploads]
        found: list[Signal] = self.bounded(decoded, given, self.largest)
        return found

    @property
    def largest(self) -> int:
        """Most points of a signal."""
        return min(int(self.limits.max_megapixels * 1e6), signals.LARGEST_POINTS)

    def file(self, upload: str | None, what: str) -> Upload:
        """Read a file that was uploaded; return its bytes and its name.

        Raises:
            InputError: No file was uploaded, or it is too large.
        """
        return self.data(upload, what), Path(Path(str(upload)).name)

    def data(self, upload: str | None, what: str) -> bytes:
        """Read a file that was uploaded.

        Raises:
            InputError: No file was uploaded, or it is too large.
        """
        if not upload or not self.desk.visitors.may_use(self.visitor, upload):
            raise InputError(f"{what} is missing", hint="choose a file")
        return files.read_bounded(Path(upload), self.limits.max_upload * 1_000_000)

    def key(self, passphrase: str | None, key_file: str | None) -> Key | Passphrase:
        """Return the key of the key file, or the passphrase (see `key_file`)."""
        found = self.key_file(passphrase, key_file)
        return found.key if isinstance(found, KeyFile) else found

    def new_key(self, passphrase: str | None, key_file: str | None) -> tuple[Key | Passphrase, str]:
        """Return the key of a new message, and what to note about it; see `key_file`.

        Raises:
            WeakPassphraseError: The passphrase is guessed within minutes.
        """
        key = self.key(passphrase, key_file)
        return key, noted(check_strength(key)) if isinstance(key, Passphrase) else ""

    def key_file(self, passphrase: str | None, key_file: str | None) -> KeyFile | Passphrase:
        """Return the key file with its slot positions, or the passphrase.

        Raises:
            InputError: Neither a key file nor a passphrase was given, or both were.
        """
        if key_file and passphrase:
            raise InputError(
                "a passphrase cannot be combined with a key file", hint="leave one of them out"
            )
        if key_file:
            return KeyFile.parse(self.data(key_file, "the key file"))
        if not passphrase:
            raise InputError("the passphrase is missing", hint="type it, or choose a key file")
        return Passphrase(passphrase)

    def bounded(self, work: Callable[..., Any], *given: Any, seconds: float | None = None) -> Any:
        """Call a function on what visitors sent, in a process of bounded memory and time.

        Args:
            work: A function of a module.
            given: Its arguments.
            seconds: Longest time that it may take, where that is less than of a run.

        Raises:
            StegfieldError: The time is over, the page was closed, or the function raised one.
            MemoryError: There is not enough memory, or the file made its reader crash.
        """
        return bounded.call(
            work,
            *given,
            seconds=min(self.limits.max_seconds, seconds or math.inf),
            megabytes=self.limits.max_memory,
            waited_for=lambda: self.desk.visitors.owns(self.visitor, self.page),
        )


def done(text: str) -> str:
    """Return a result as HTML."""
    return f'<p role="status" class="done">{html.escape(text)}</p>'


def failed(text: str, hint: str | None) -> str:
    """Return an error and a hint as HTML."""
    more = f" <span>{html.escape(hint)}</span>" if hint else ""
    return f'<p role="alert" class="failed"><strong>{html.escape(text)}</strong>{more}</p>'


def telling(
    desk: Desk, status: Any, handler: Callable[..., Any]
) -> Callable[..., Iterator[Update]]:
    """Wrap a handler so that its errors become sentences in the page.

    Args:
        desk: The visitors.
        status: Component that shows the sentences.
        handler: Takes the visit and the inputs; returns an update, or yields several.
    """

    def told(request: gr.Request, *given: Any) -> Iterator[Update]:
        yield {status: ""}
        try:
            result = handler(desk.visit(request), *given)
            if inspect.isgenerator(result):
                yield from result
            else:
                yield result
        except StegfieldError as error:
            yield {status: failed(sentence(error.args[0]), advice(error.hint))}
        except MemoryError:
            yield {status: failed("there is not enough memory", "take a smaller file")}
        except Exception:
            LOG.exception("a handler of the web page failed")
            yield {status: failed(DEFECT, None)}

    return told
