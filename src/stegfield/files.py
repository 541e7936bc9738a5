"""Files: read up to a limit, written whole or not at all.

A reader never sees half a file: data goes to a temporary file in the same folder, is forced to
disk, and gets its name in one step. Without ``force``, an existing file is never replaced, even if
it appears during the work.
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
    """Refuse an output that exists or cannot be written, before any work is done.

    Raises:
        OutputExistsError: The file exists and ``force`` is off.
        OutputError: The folder does not exist or may not be written to, the output is a folder or
            a device, or no file can have its name.
    """
    if "\0" in str(path):
        raise OutputError(f"{path!r} is not a file name")
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder", hint="name a file to write")
        if path.exists() and not path.is_file():  # a device or a pipe would be replaced
            raise OutputError(f"{path} is not a regular file", hint="name a file to write")
        if path.exists() and not force:
            raise OutputExistsError(path)
        if not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist", hint="create it first")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError(
                f"{path} cannot be written: the folder is read-only", hint="take another folder"
            )
    except OSError as error:  # a name too long, or a folder that may not be searched
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _identity(path: Path) -> Path:
    """Return the resolved name of a file, without links and dots."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # a name that no file can have
        return path.absolute()


def check_apart(written: Sequence[Path], read: Sequence[Path]) -> None:
    """Refuse a command that would write one file twice, or over what it reads.

    Raises:
        OutputError: Two of the names mean one file.
    """
    seen = {_identity(path) for path in read}
    for path in written:
        if _identity(path) in seen:
            raise OutputError(f"{path} is named twice", hint="give every output a name of its own")
        seen.add(_identity(path))


def make_folder(path: Path) -> None:
    """Create a folder and those above it, unless it exists.

    Raises:
        OutputError: The folder cannot be created, or a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {path} cannot be created: {error.strerror}") from error
    except ValueError as error:  # a name with a zero byte in it
        raise OutputError(f"{path!r} is not the name of a folder") from error


class Lines:
    """A file to which lines are added, each in one write."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file

    @property
    def empty(self) -> bool:
        """Return whether the file has no whole line."""
        return _whole(self._file) == 0

    def add(self, line: bytes) -> None:
        """Add a line and force it to disk; drop half a line that a dead run left at the end.

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
    """Open a file to add lines, and lock it against other processes that do.

    Args:
        path: The file; created if it does not exist.
        private: Whether only its owner may read it.
        alone: Whether to refuse a file that another process has locked, instead of waiting.

    Raises:
        OutputError: The file cannot be written, or another process has it and ``alone`` is on.
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
    """Lock an open file until the process ends; wait for other processes, or refuse the file.

    Raises:
        OutputError: Another process has the file and ``alone`` is on.
    """
    try:
        import fcntl
    except ImportError:  # on Windows, users must see to one run at a time
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if alone else 0))
    except BlockingIOError:
        raise OutputError(
            f"{path} is in use by another run", hint="wait until that run has ended"
        ) from None
    except OSError:  # a file system without locks
        return


def add_line(path: Path, line: bytes) -> None:
    """Add a line to a file; drop half a line that a dead run left at the end.

    Raises:
        OutputError: The file cannot be written.
    """
    with appending(path) as lines:
        lines.add(line)


def _whole(file: BinaryIO) -> int:
    """Return the offset at which the last whole line ends."""
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
    """A file to write: its path, its data, and whether only its owner may read it."""

    path: Path
    data: bytes
    private: bool = False


def write_new(path: Path, data: bytes, *, force: bool = False, private: bool = False) -> None:
    """Write a whole file, or leave nothing.

    Raises:
        OutputExistsError: The file exists and ``force`` is off.
        OutputError: The disk is full, or the folder is missing or may not be written to.
    """
    write_all_new([Output(path, data, private)], force=force)


def write_all_new(outputs: Sequence[Output], *, force: bool = False) -> None:
    """Write several whole files, or none of them.

    All data is on disk under temporary names before the first file gets its own name. With
    ``force``, files that were replaced before a later one fails stay replaced.

    Raises:
        OutputExistsError: A file exists and ``force`` is off.
        OutputError: The disk is full, or a folder is missing or may not be written to.
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
    """Return whether a file of this name exists; False for a name that no file can have."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def remove_unfinished(path: Path) -> None:
    """Remove the temporary files of a process that was killed while it wrote a file."""
    for temporary in path.parent.glob(f"{_prefix(path)}*"):
        temporary.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    """Return the common beginning of a file's temporary names, of limited length."""
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
    """Return the permissions of a file to write: those of the file that it replaces, if any."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
