"""Files that appear whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import (
    atomic_write,
    is_locked,
    lock,
    open_locally,
    remove_parts,
    sync,
    sync_folder,
    write_text,
)


@pytest.fixture
def folder(tmp_path):
    """An empty folder."""
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def failing(name):
    """Return a system call that fails with this error."""

    def fail(*_):
        raise OSError(getattr(errno, name), "it fails")

    return fail


def names(folder):
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(folder):
    """Readers see the old content until the block ends, and the new content afterwards."""
    path = folder / "file"
    write_text(path, "old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(folder) == ["file"]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(folder, error):
    """Whatever ends the block early goes through; the old file stays, and no part of the new one."""
    path = folder / "file"
    write_text(path, "old")
    with pytest.raises(error), atomic_write(path) as file:  # noqa: PT012 - the block is what is tested
        file.write(b"ne")
        raise error
    assert path.read_text() == "old"
    assert names(folder) == ["file"]


def test_a_place_that_cannot_be_taken_leaves_nothing(folder):
    """A folder stands where the file should go: an OSError, and no part is left."""
    (folder / "other").mkdir()
    with pytest.raises(OSError, match="other"):
        write_text(folder / "other", "text")
    assert names(folder) == ["other"]


@pytest.mark.parametrize("parent", ["absent", "file"])
def test_a_missing_folder_is_an_error_of_its_own(folder, parent):
    """Neither a missing folder nor a file in its place is made into one; the error is the first one that happened."""
    (folder / "file").write_text("text")
    with pytest.raises((FileNotFoundError, NotADirectoryError)) as error:
        write_text(folder / parent / "new", "text")
    assert error.value.__context__ is None
    assert names(folder) == ["file"]


def test_two_writers_do_not_meet(folder):
    """If two write the same file at a time, the complete content of the last one remains."""
    path = folder / "file"
    with atomic_write(path) as slow:
        slow.write(b"slow ")
        write_text(path, "fast")
        slow.write(b"and steady")
    assert path.read_bytes() == b"slow and steady"
    assert names(folder) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no umask to speak of")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_permissions_are_those_of_any_new_file(folder, umask, mode):
    """The umask 022 makes files that others may read, 002 those that the group may change, 077 private ones."""
    before = os.umask(umask)
    try:
        write_text(folder / "file", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "file").stat().st_mode) == mode


def test_text_is_utf_8_with_plain_line_ends(folder):
    """σ takes two bytes and a line ends in one, on every system."""
    write_text(folder / "file", "σ\n")
    assert (folder / "file").read_bytes() == b"\xcf\x83\n"


PART = ".file.0123456789abcde{}.part"


def test_parts_of_the_dead_are_removed(folder):
    """Temporary files of killed processes are removed. With an age, only older ones are, and those of the future."""
    for name, age in ((PART.format(1), 10), (PART.format(2), 1000), (PART.format(3), -1000), (PART.format(4), -10)):
        write_text(folder / name, "text")
        then = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (then, then))
    remove_parts(folder, older_than=100)
    assert names(folder) == [PART.format(1), PART.format(4)]
    remove_parts(folder)
    assert names(folder) == []


@pytest.mark.parametrize(
    "name",
    [
        "file",
        ".hidden",
        ".part",
        ".movie.part",
        ".movie.mkv.1.part",
        ".a.0123456789ABCDEF.part",
        "a.0123456789abcdef.part",
    ],
)
def test_parts_of_other_programs_stay(folder, name):
    """Browsers and download managers call their files so, too."""
    (folder / name).write_text("text")
    remove_parts(folder)
    assert names(folder) == [name]


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o4755])
def test_permissions_survive(folder, mode):
    """A file that others must not read stays so, also while it is written; a program's rights are not inherited."""
    path = folder / "file"
    write_text(path, "old")
    path.chmod(mode)
    with atomic_write(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode & 0o777
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode & 0o777
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="Windows needs a privilege for links")
@pytest.mark.parametrize("target", ["theirs", "absent", "link"])
def test_a_link_is_replaced_unless_the_user_named_it(folder, target):
    """Its target stays as it is, or, with ``follow``, is replaced."""
    (folder / "theirs").write_text("old")
    (folder / "link").symlink_to(target)
    write_text(folder / "link", "new")
    assert not (folder / "link").is_symlink()
    assert (folder / "theirs").read_text() == "old"
    (folder / "named").symlink_to("theirs")
    with atomic_write(folder / "named", follow=True) as file:
        file.write(b"newer")
    assert (folder / "named").is_symlink()
    assert (folder / "theirs").read_text() == "newer"


@pytest.mark.skipif(os.name != "posix", reason="Windows needs a privilege for links, and has no FIFO")
@pytest.mark.parametrize("kind", ["symbolic", "dangling", "hard", "fifo", "folder"])
def test_a_file_to_append_to_is_no_link(folder, kind):
    """A write to it would change another file, or none."""
    path, theirs = folder / "file", folder / "theirs"
    theirs.write_text("old")
    make = {
        "symbolic": lambda: path.symlink_to(theirs),
        "dangling": lambda: path.symlink_to(folder / "absent"),
        "hard": lambda: os.link(theirs, path),
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    make[kind]()
    with pytest.raises(InputError, match=r"is a link to another file|is not a regular file"):
        open_locally(path, os.O_RDWR)
    assert theirs.read_text() == "old"
    assert not (folder / "absent").exists()


def test_a_writer_whose_part_is_removed_reports_it(folder):
    """Its file does not appear, and what was there stays."""
    write_text(folder / "file", "old")
    with pytest.raises(FileNotFoundError), atomic_write(folder / "file") as file:  # noqa: PT012 - as above
        file.write(b"new")
        remove_parts(folder)
        if os.name != "posix":  # Windows removes no open file
            raise FileNotFoundError
    assert names(folder) == ["file"]
    assert (folder / "file").read_text() == "old"


# --- the disk and the others -----------------------------------------------------------------------------------------


def test_a_file_is_on_disk_before_it_takes_its_place(folder, monkeypatch):
    """Its content first, then its name: a power failure leaves the old file or the new one."""
    happened = []
    sync, replace = os.fsync, os.replace

    def spied_replace(source, target):
        happened.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda file: happened.append(os.fstat(file).st_size) or sync(file))
    monkeypatch.setattr(os, "replace", spied_replace)
    write_text(folder / "file", "text")
    assert happened == [4, "replace"]


@pytest.mark.skipif(os.name != "posix", reason="Windows syncs no folders")
def test_a_folder_is_forced_to_the_disk(folder, monkeypatch):
    """The folder itself; and one that cannot be (it is gone, or the disk does not say) is no error."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
    sync_folder(folder)
    assert synced == [folder.stat().st_ino]
    sync_folder(folder / "absent")
    open_files = len(names(Path("/dev/fd")))

    def fail(_):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fail)
    sync_folder(folder)
    assert len(names(Path("/dev/fd"))) == open_files


def test_a_file_has_one_lock(folder):
    """Whoever opens it a second time does not get it, until the first has closed it; reading is free."""
    write_text(folder / "file", "text")
    first, second = (os.open(folder / "file", os.O_RDWR) for _ in range(2))
    assert lock(first)
    assert not lock(second)
    assert (folder / "file").read_text() == "text"
    os.close(first)
    assert lock(second)
    os.close(second)


@pytest.mark.parametrize("number", ["EINVAL", "ENOTSUP", "ENOSYS"])
def test_a_file_is_written_where_there_is_no_fsync(folder, monkeypatch, number):
    """Some network file systems have none: the file takes its place all the same."""
    monkeypatch.setattr(os, "fsync", failing(number))
    write_text(folder / "file", "text")
    assert (folder / "file").read_text() == "text"
    with (folder / "file").open("rb") as file:
        assert not sync(file.fileno())


@pytest.mark.parametrize("number", ["EIO", "ENOSPC", "EDQUOT"])
def test_an_fsync_that_loses_data_is_an_error(folder, monkeypatch, number):
    """A full or broken disk is distinguished from a file system without fsync."""
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(OSError, match="fails"):
        write_text(folder / "file", "text")
    assert names(folder) == []


def test_a_reader_sees_a_lock_and_takes_none(tmp_path):
    """Two readers do not see each other."""
    path = tmp_path / "file"
    path.touch()
    assert [is_locked(path), is_locked(path)] == [False, False]
    with path.open("r+b") as file:
        assert lock(file.fileno())
        assert is_locked(path)
    assert not is_locked(path)
