from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield.errors import InputError, OutputError, OutputExistsError, StegfieldError
from stegfield.files import (
    Output,
    add_line,
    appending,
    check_apart,
    check_new,
    make_folder,
    read_bounded,
    remove_unfinished,
    write_all_new,
    write_new,
)

posix = pytest.mark.skipif(os.name != "posix", reason="file modes and limits are POSIX")


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, temporary files too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def full_disk(after: int = 0) -> Callable[[int], None]:
    """Make an `os.fsync` that fails as a full disk does, from the ``after``-th call on."""
    calls = 0

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return fsync


@pytest.fixture
def small_disk() -> Iterator[int]:
    """Let no file grow beyond a mebibyte."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    yield 1 << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


# reading


@given(st.binary(max_size=200), st.integers(0, 200))
def test_read_bounded_gives_whole_files_up_to_the_limit(
    tmp_path: Path, data: bytes, limit: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    if len(data) <= limit:
        assert read_bounded(path, limit) == data
    else:
        with pytest.raises(InputError, match=f"larger than {limit:,} bytes"):
            read_bounded(path, limit)


def test_read_bounded_undoes_write_new(tmp_path: Path) -> None:
    data = bytes(range(256)) * 300
    write_new(tmp_path / "a", data)
    assert read_bounded(tmp_path / "a", len(data)) == data


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless file")
def test_an_endless_file_is_larger_than_any_limit() -> None:
    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        read_bounded(Path("/dev/zero"), 1000)


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    cases = {
        tmp_path: "is a folder",
        tmp_path / "missing": "does not exist",
        tmp_path / "dangling": "does not exist",
        tmp_path / "missing" / "below": "does not exist",
        tmp_path / "file" / "below": "cannot be read",
        tmp_path / ("long" * 100): "cannot be read",
        tmp_path / "zero\0byte": "is not a file name",
    }
    for path, why in cases.items():
        with pytest.raises(InputError, match=why) as caught:
            read_bounded(path, 10)
        assert path.name.partition("\0")[0] in str(caught.value)


def test_a_file_that_is_not_ours_to_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_bounded(tmp_path / "a", 10)


# before the work


def test_check_new_allows_a_new_file_and_leaves_nothing(tmp_path: Path) -> None:
    check_new(tmp_path / "a")
    check_new(tmp_path / "a", force=True)
    assert contents(tmp_path) == {}


UNWRITABLE: dict[str, str] = {
    ".": "is a folder",
    "missing/a": "does not exist",
    "file/a": "does not exist",
    "long" * 100: "cannot be written",
    "zero\0byte": "is not a file name",
}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_cannot_be_written_is_refused_before_and_while_writing(
    name: str, force: bool, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(OutputError, match=UNWRITABLE[name]):
        check_new(tmp_path / name, force=force)
    with pytest.raises(OutputError, match=UNWRITABLE[name]):
        write_new(tmp_path / name, b"after", force=force)
    assert contents(tmp_path) == {"file": b"before"}


def test_a_folder_that_is_not_ours_to_look_into_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "is_dir", denied)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        check_new(tmp_path / "a")


@posix
@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_read_only_is_refused_before_the_work(
    tmp_path: Path, force: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):  # root may write anywhere: let the mode decide
        writable = stat.S_IWUSR

        def access(path: Path, mode: int) -> bool:
            return not mode & os.W_OK or bool(path.stat().st_mode & writable)

        monkeypatch.setattr(os, "access", access)
    with pytest.raises(OutputError, match="cannot be written: the folder is read-only"):
        check_new(folder / "a", force=force)
    check_new(tmp_path / "a", force=force)


def test_make_folder_makes_those_above_and_keeps_what_exists(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").write_bytes(b"kept")
    make_folder(tmp_path / "a" / "b")
    assert contents(tmp_path / "a" / "b") == {"file": b"kept"}


@pytest.mark.parametrize("name", ["file", "file/below", "long" * 100, "zero\0byte"])
def test_make_folder_refuses_what_cannot_be_one(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"kept")
    with pytest.raises(OutputError):
        make_folder(tmp_path / name)
    assert contents(tmp_path) == {"file": b"kept"}


# one file, whole or not at all


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_write_new_writes_exactly_the_data(
    tmp_path: Path, data: bytes, force: bool, private: bool
) -> None:
    path = tmp_path / "a"
    path.unlink(missing_ok=True)
    write_new(path, data, force=force, private=private)
    assert contents(tmp_path) == {"a": data}


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")
    with pytest.raises(OutputExistsError, match="exists already"):
        check_new(path)
    with pytest.raises(OutputExistsError, match="exists already") as caught:
        write_new(path, b"after")
    assert caught.value.hint is not None
    assert "force=True" in caught.value.hint
    assert contents(tmp_path) == {"a": b"before"}


def test_force_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before, and longer")
    write_new(path, b"after", force=True)
    assert contents(tmp_path) == {"a": b"after"}


@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_everything_as_it_was(
    force: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_bytes(b"before")
    name = "old" if force else "new"
    monkeypatch.setattr(os, "fsync", full_disk())
    with pytest.raises(OutputError, match=f"{name} cannot be written: No space left on device"):
        write_new(tmp_path / name, b"after", force=force)
    assert contents(tmp_path) == {"old": b"before"}


@posix
@pytest.mark.parametrize("force", [False, True])
def test_a_write_that_the_system_cuts_short_leaves_everything_as_it_was(
    force: bool, tmp_path: Path, small_disk: int
) -> None:
    (tmp_path / "old").write_bytes(b"before")
    with pytest.raises(OutputError, match="cannot be written: File too large"):
        write_new(tmp_path / ("old" if force else "new"), bytes(small_disk + 1), force=force)
    assert contents(tmp_path) == {"old": b"before"}
    write_new(tmp_path / "old", bytes(small_disk), force=True)
    assert len(contents(tmp_path)["old"]) == small_disk


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_an_interruption_passes_and_leaves_everything_as_it_was(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(error):
        write_new(tmp_path / "a", b"after")
    assert contents(tmp_path) == {}


def test_nothing_has_the_name_before_all_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "a", []

    def fsync(descriptor: int) -> None:
        synced.append((path.exists(), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    write_new(path, b"after")
    assert synced == [(False, len(b"after"))]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_while_we_write_is_not_overwritten(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    monkeypatch.setattr(os, "fsync", lambda _: path.write_bytes(b"theirs"))
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(OutputExistsError):
        write_new(path, b"ours")
    assert contents(tmp_path) == {"a": b"theirs"}


def no_links(source: Path, path: Path) -> None:
    """Fail as `os.link` does on a file system without hard links."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_file_system_without_links_gets_whole_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    write_new(tmp_path / "a", b"data")
    with pytest.raises(OutputExistsError):
        write_new(tmp_path / "a", b"other")
    assert contents(tmp_path) == {"a": b"data"}


def test_a_failing_link_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(source: Path, path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(OutputError, match="cannot be written"):
        write_new(tmp_path / "a", b"data")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_is_never_written_through(dangling: bool, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    if not dangling:
        target.write_bytes(b"kept")
    before = [] if dangling else [b"kept"]
    with pytest.raises(OutputExistsError):
        write_new(link, b"after")
    assert link.is_symlink()
    write_new(link, b"after", force=True)
    assert not link.is_symlink()
    assert link.read_bytes() == b"after"
    assert [path.read_bytes() for path in tmp_path.iterdir() if path != link] == before


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0])
def test_files_follow_the_umask_and_private_ones_are_their_owners(
    mask: int, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        write_new(tmp_path / "public", b"")
        write_new(tmp_path / "private", b"", private=True)
        after = os.umask(mask)
    finally:
        os.umask(before)
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    assert after == mask


@posix
def test_a_private_file_is_private_from_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    monkeypatch.setattr(os, "fsync", lambda fd: modes.append(os.fstat(fd).st_mode & 0o777))
    (tmp_path / "a").touch(0o666)
    write_new(tmp_path / "a", b"secret", private=True, force=True)
    assert [*modes, (tmp_path / "a").stat().st_mode & 0o777] == [0o600, 0o600]


# several files, all or none


def outputs(folder: Path, count: int = 3) -> list[Output]:
    """Name a few small files."""
    return [Output(folder / f"{number}", b"%d" % number) for number in range(count)]


def test_write_all_new_writes_all(tmp_path: Path) -> None:
    write_all_new(outputs(tmp_path))
    assert contents(tmp_path) == {"0": b"0", "1": b"1", "2": b"2"}


def test_write_all_new_of_nothing_writes_nothing(tmp_path: Path) -> None:
    write_all_new([])
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_if_one_file_finds_no_room_none_is_left(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full_disk(after=failing))
    with pytest.raises(OutputError, match=f"{failing} cannot be written: No space"):
        write_all_new(outputs(tmp_path))
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("existing", [0, 1, 2])
def test_if_one_file_exists_none_is_written(existing: int, tmp_path: Path) -> None:
    (tmp_path / f"{existing}").write_bytes(b"kept")
    with pytest.raises(OutputExistsError, match=f"{existing} exists already"):
        write_all_new(outputs(tmp_path))
    assert contents(tmp_path) == {f"{existing}": b"kept"}


@pytest.mark.parametrize("appearing", [0, 1, 2])
@pytest.mark.parametrize("links", [True, False])
def test_if_one_file_appears_while_we_write_only_that_is_left(
    links: bool, appearing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{appearing}"
    monkeypatch.setattr(os, "fsync", lambda _: path.write_bytes(b"theirs"))
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(OutputExistsError, match=f"{appearing} exists already"):
        write_all_new(outputs(tmp_path))
    assert contents(tmp_path) == {f"{appearing}": b"theirs"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.EIO, "Input/output error")])
def test_if_a_later_file_gets_no_name_the_earlier_ones_lose_theirs(
    error: BaseException | type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def failing(source: Path, path: Path) -> None:
        if path.name == "2":
            raise error
        link(source, path)

    monkeypatch.setattr(os, "link", failing)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        write_all_new(outputs(tmp_path))
    assert contents(tmp_path) == {}


def test_with_force_no_file_is_lost_when_a_later_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0").write_bytes(b"before")
    monkeypatch.setattr(os, "fsync", full_disk(after=2))
    with pytest.raises(OutputError):
        write_all_new(outputs(tmp_path), force=True)
    assert contents(tmp_path) == {"0": b"before"}


def test_one_name_twice_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputExistsError):
        write_all_new([*outputs(tmp_path), Output(tmp_path / "0", b"again")])
    assert contents(tmp_path) == {}


@given(st.text(max_size=40))
def test_any_name_is_written_or_refused_in_words(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    path = folder / name.replace("/", "").replace("..", "")
    try:
        write_new(path, b"data")
    except StegfieldError:
        assert contents(folder) == {}
    else:
        assert read_bounded(path, 4) == b"data"
        path.unlink()


@pytest.mark.parametrize("start", [b"", b"one\n", b"one\ntw", b"half", b"one\n" + b"x" * 200_000])
def test_a_line_follows_the_last_whole_one(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(start)
    add_line(path, b"last")
    assert path.read_bytes() == start[: start.rfind(b"\n") + 1] + b"last\n"
    with pytest.raises(OutputError):
        add_line(tmp_path / "nowhere" / "lines", b"last")


def test_one_process_at_a_time_adds_lines_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with appending(path, alone=True) as lines:
        assert lines.empty
        lines.add(b"one")
        with pytest.raises(OutputError, match="in use by another run"):
            appending(path, alone=True).__enter__()
    with appending(path, alone=True) as lines:
        assert not lines.empty
        lines.add(b"two")
    assert path.read_bytes() == b"one\ntwo\n"


@posix
def test_a_line_that_the_system_cuts_short_is_dropped_by_the_next(
    tmp_path: Path, small_disk: int
) -> None:
    path = tmp_path / "lines"
    add_line(path, bytes(small_disk // 2))
    with pytest.raises(OutputError, match="cannot be written: File too large"):
        add_line(path, bytes(small_disk))
    add_line(path, b"last")
    assert path.read_bytes() == bytes(small_disk // 2) + b"\nlast\n"


@pytest.mark.parametrize("name", ["a", "long" * 60, "-dash", "[a]*"])
def test_what_a_killed_process_left_of_one_file_is_removed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, missing_ok: bool = False) -> None:
        """Remove nothing, as a process that is no more."""

    monkeypatch.setattr(os, "fsync", full_disk())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        for each in (name, "other"):
            with pytest.raises(OutputError):
                write_new(tmp_path / each, b"half")
    assert len(contents(tmp_path)) == 2
    remove_unfinished(tmp_path / name)
    assert len(contents(tmp_path)) == 1
    remove_unfinished(tmp_path / "other")
    assert not contents(tmp_path)


def test_one_file_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("here").symlink_to(".")
    Path("key").touch()
    for name in ("key", "folder/../key", "here/key", str(tmp_path / "key")):
        with pytest.raises(OutputError, match="named twice"):
            check_apart([Path(name)], [Path("key")])
    check_apart([Path("folder/key"), Path("a\0")], [Path("key")])


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for force in (False, True):
        with pytest.raises(OutputError, match="not a regular file"):
            write_new(pipe, b"data", force=force)
    assert pipe.is_fifo()


@pytest.mark.parametrize(("private", "mode"), [(False, 0o640), (True, 0o600)])
def test_a_replaced_file_keeps_its_permissions(private: bool, mode: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    path.chmod(0o640)
    write_new(path, b"after", force=True, private=private)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"after", mode)
