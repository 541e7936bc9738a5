"""Files: read with a bound, written whole or not at all.

A reader never sees half a file: data goes to a temporary file beside its destination, is forced to
disk, and gets its name in one step. Without ``force`` an existing file is never replaced, even if
it appears while we work.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from stegfield.errors import InputError, OutputError, OutputExistsError

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)
CHUNK = 1 << 16
LONGEST_REASON = 120
"""Letters of a parser's own words that an error repeats."""


def read_bounded(path: Path, limit: int) -> bytes:
    """Read a whole file of at most ``limit`` bytes.

    Raises:
        InputError: The file is missing, unreadable, a folder, or larger than ``limit``.
    """
    data = read_start(path, limit + 1)
    if len(data) > limit:
        raise InputError(f"{path} is larger than {limit:,} bytes", hint="is it the right file?")
    return data


def read_start(path: Path, count: int) -> bytes:
    """Read the first ``count`` bytes of a file, or all of it if it has fewer.

    Raises:
        InputError: The file is missing, unreadable, or a folder.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder", hint="name a file")
        with path.open("rb") as stream:
            return stream.read(count)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", hint="check the name and the folder") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a name with a zero byte in it
        raise InputError(f"{path!r} is not a file name") from error


@contextmanager
def distrusting(
    path: Path | str, what: str, error: type[InputError] = InputError, *, hint: str | None = None
) -> Iterator[None]:
    """Turn whatever a parser raises on foreign bytes into one error.

    Args:
        path: The file, named in the error.
        what: What it should be: "a sound".
        error: Class of the error.
        hint: Its hint, if not that of the class.

    Raises:
        InputError: The parser raised anything but an InputError, or that memory is short.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as found:
        reason = " ".join(str(found).split())[:LONGEST_REASON] or type(found).__name__
        raise error(f"{path} is not {what}, or damaged: {reason}", hint=hint) from found


def check_new(path: Path, *, force: bool = False) -> None:
    """Refuse an output that exists or has no folder to be written to, before any work is done.

    Raises:
        OutputExistsError: The file exists and ``force`` is off.
        OutputError: Its folder does not exist or is not ours to write to, it is a folder itself or
            a device, or no file can have its name.
    """
    if "\0" in str(path):
        raise OutputError(f"{path!r} is not a file name")
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder", hint="name a file to write")
        if path.exists() and not path.is_file():  # a device or a pipe would be gone
            raise OutputError(f"{path} is not a regular file", hint="name a file to write")
        if path.exists() and not force:
            raise OutputExistsError(path)
        if not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist", hint="create it first")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError(
                f"{path} cannot be written: the folder is read-only", hint="take another folder"
            )
    except OSError as error:  # a name too long, or a folder above that is not ours to look into
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _identity(path: Path) -> Path:
    """Return the one name of a file, whatever links and dots lead to it."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # a name that no file can have
        return path.absolute()


def check_apart(written: Sequence[Path], read: Sequence[Path]) -> None:
    """Refuse a command that would write one file twice, or over what it reads.

    Raises:
        OutputError: Two of the names stand for one file.
    """
    seen = {_identity(path) for path in read}
    for path in written:
        if _identity(path) in seen:
            raise OutputError(
                f"{path} is named twice", hint="give every file that is written its own name"
            )
        seen.add(_identity(path))


def make_folder(path: Path) -> None:
    """Create a folder and those above it, unless it exists.

    Raises:
        OutputError: It cannot be created, or a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {path} cannot be created: {error.strerror}") from error
    except ValueError as error:  # a name with a zero byte in it
        raise OutputError(f"{path!r} is not the name of a folder") from error


class Lines:
    """A file that lines are added to, each in one go."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file

    @property
    def empty(self) -> bool:
        """Whether the file has no whole line."""
        return _whole(self._file) == 0

    def add(self, line: bytes) -> None:
        """Add a line, on disk; what a run that died left after the last whole one is dropped.

        Raises:
            OutputError: The disk is full.
        """
        try:
            self._file.truncate(_whole(self._file))
            left = memoryview(line + b"\n")
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}") from error


@contextmanager
def appending(path: Path, *, private: bool = False, alone: bool = False) -> Iterator[Lines]:
    """Open a file to add lines to, and keep others from adding any meanwhile.

    Args:
        path: The file; created if it does not exist.
        private: Only its owner may read it.
        alone: Refuse a file that another process is adding to, in place of waiting for it.

    Raises:
        OutputError: It cannot be written, or another process has it and ``alone`` is on.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o600 if private else 0o666)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "ab+", buffering=0) as file:
        _lock(path, descriptor, alone=alone)
        if private and os.name == "posix":
            os.chmod(descriptor, 0o600)  # noqa: PTH101 - it has no name that would do
        yield Lines(path, file)


def _lock(path: Path, descriptor: int, *, alone: bool) -> None:
    """Wait until no other process has an open file, or refuse it; the lock ends with the process.

    Raises:
        OutputError: Another process has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where one run at a time is up to the user
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if alone else 0))
    except BlockingIOError:
        raise OutputError(
            f"{path} is in use by another run", hint="wait until that has ended"
        ) from None
    except OSError:  # a file system without locks
        return


def add_line(path: Path, line: bytes) -> None:
    """Add a line to a file; what a run that died left after the last whole line is dropped.

    Raises:
        OutputError: The file cannot be written.
    """
    with appending(path) as lines:
        lines.add(line)


def _whole(file: BinaryIO) -> int:
    """Find where the last whole line ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - CHUNK)
        file.seek(start)
        if (at := file.read(end - start).rfind(b"\n")) >= 0:
            return start + at + 1
        end = start
    return 0


@dataclass(frozen=True)
class Output:
    """A file to write: where, all of it, and whether only its owner may read it."""

    path: Path
    data: bytes
    private: bool = False


def write_new(path: Path, data: bytes, *, force: bool = False, private: bool = False) -> None:
    """Write a whole file, or leave nothing.

    Raises:
        OutputExistsError: The file exists and ``force`` is off.
        OutputError: The disk is full, the folder is missing or not ours to write to.
    """
    write_all_new([Output(path, data, private)], force=force)


def write_all_new(outputs: Sequence[Output], *, force: bool = False) -> None:
    """Write several whole files, or leave none of them.

    All data is on disk under temporary names before the first file gets its own. With ``force``,
    files replaced before a later one fails stay replaced.

    Raises:
        OutputExistsError: A file exists and ``force`` is off.
        OutputError: The disk is full, a folder is missing or not ours to write to.
    """
    for output in outputs:
        check_new(output.path, force=force)
    temporary: list[Path] = []
    named: list[Path] = []
    path = Path()
    try:
        for output in outputs:
            path = output.path
            temporary.append(_write_beside(output))
        for output, source in zip(outputs, temporary, strict=True):
            path = output.path
            _rename(source, path, force=force)
            named.append(path)
    except BaseException as error:
        if not force:
            for done in named:
                done.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise OutputExistsError(path) from None
        if isinstance(error, OSError):
            raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
        raise
    finally:
        for source in temporary:
            source.unlink(missing_ok=True)


def is_file(path: Path | str) -> bool:
    """Tell whether a name is that of a file; one that no file can have is not."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def remove_unfinished(path: Path) -> None:
    """Remove what a process that was killed as it wrote a file has left beside it."""
    for temporary in path.parent.glob(f"{_prefix(path)}*"):
        temporary.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    """Begin the names of temporary files of one file alike, however long its own name is."""
    name = path.name.encode(errors="surrogatepass")
    return f".stegfield-{blake2b(name, digest_size=4).hexdigest()}-"


def _write_beside(output: Output) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=_prefix(output.path), dir=output.path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(output.data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o600 if output.private else _mode(output.path))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _rename(source: Path, path: Path, *, force: bool) -> None:
    if force:
        source.replace(path)
        return
    try:
        os.link(source, path)  # fails where the file exists; a rename would replace it
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # a file system without hard links: the check and the rename are not one step
        check_new(path)
        source.replace(path)


def _mode(path: Path) -> int:
    """Choose the permissions of a file to write: those of the one that it replaces, if there is."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
