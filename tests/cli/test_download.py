"""``mnist-bp download``, from a folder and from nowhere."""

import gzip
import os
import shutil

import pytest

from mnist_bp.data.choices import DATASETS, downloadable
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import PublishedDataset, PublishedFile


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """No test here asks a server."""
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")


@pytest.fixture
def given(idx_folder, replace_entry):
    """A folder that has MNIST, which is small here."""
    import hashlib

    contents = {name: (idx_folder / name).read_bytes() for name in FILE_NAMES}
    files = tuple(
        PublishedFile(name, len(content), "0" * 64, hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    replace_entry(DATASETS, "mnist", PublishedDataset("mnist", "its makers", files, (), "MNIST"))
    return idx_folder


@pytest.fixture
def cache(tmp_path):
    """Return the cache folder of MNIST."""
    return tmp_path / "cache" / "mnist"


def test_a_dataset_is_imported_and_reported_to_be_intact(cli, given, cache):
    """A line for each file that arrived, and one at the end; at the second time that one alone."""
    done = cli("download", "--from", given)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert len(lines) == 5
    assert all(any(name in line for line in lines) for name in FILE_NAMES)
    assert lines[-1] == f"mnist is complete and intact in {cache}"
    assert cli("download").out.splitlines() == lines[-1:]


def test_files_may_be_named_one_by_one(cli, given):
    """``--from`` may be repeated."""
    arguments = [word for name in FILE_NAMES for word in ("--from", given / name)]
    assert cli("download", *arguments).code == 0


def test_json_has_a_record_for_each_file_and_one_at_the_end(cli, given, cache):
    """A record gives the state, path, size and checksum of each file, and the last one summarizes them."""
    done = cli("download", "--from", given, "--json")
    *files, end = done.records
    assert [record["file"] for record in files] == list(FILE_NAMES)
    assert {record["event"] for record in files} == {"file"}
    assert {record["state"] for record in files} == {"fetched"}
    assert [record["bytes"] for record in files] == [(given / name).stat().st_size for name in FILE_NAMES]
    assert files[0]["source"] == str(given / FILE_NAMES[0])
    assert end == {"event": "end", "dataset": "mnist", "folder": str(cache), "state": "intact", "fetched": 4}
    *files, end = cli("download", "--json").records
    assert {record["state"] for record in files} == {"intact"}
    assert end["fetched"] == 0


def test_verifying_reports_each_file(cli, given, cache):
    """Four lines for four intact files; one that was changed behind the system's back is told, and fetched anew."""
    cli("download", "--from", given)
    assert [line.split() for line in cli("download", "--verify").out.splitlines()[:4]] == [
        ["intact", name] for name in FILE_NAMES
    ]
    path = cache / FILE_NAMES[0]
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = cli("download", "--verify", "--from", given)
    assert done.code == 0
    assert f"{path}: checksum mismatch (SHA-256); quarantined as " in done.out
    assert sum(line.startswith("intact ") for line in done.out.splitlines()) == 3


def test_offline_is_one_line_and_exit_3(cli, cache):
    """Nothing there and no network allowed."""
    done = cli("download", "kmnist")
    assert (done.code, done.out) == (3, "")
    assert len(done.err.splitlines()) == 1
    assert "MNIST_BP_OFFLINE disables downloads" in done.err


def test_a_folder_without_the_files_is_exit_3(cli, given, tmp_path):
    """The line names the file that is missing."""
    shutil.copy(given / FILE_NAMES[3], tmp_path / "work")
    done = cli("download", "--from", tmp_path / "work")
    assert done.code == 3
    assert done.err.startswith(f"mnist-bp: cannot download {FILE_NAMES[0]} and 2 more: no file of that name there; ")


def test_a_place_that_is_not_there_is_bad_usage(cli):
    """``--from`` a path that does not exist: exit 2."""
    done = cli("download", "--from", "absent")
    assert done.code == 2
    assert "'absent' does not exist" in done.err


def test_the_list_shows_what_is_where(cli, given, cache):
    """A line for each dataset: name, state, size and folder."""
    before = {line.split()[0]: line.split()[1] for line in cli("download", "--list").out.splitlines()}
    assert before == {**dict.fromkeys(downloadable(), "absent"), "synthetic": "embedded"}
    cli("download", "--from", given)
    line = cli("download", "--list").out.splitlines()[0]
    assert line.split()[:5] == ["mnist", "intact", "0.6", "MB", f"{cache},"]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda cache: (cache / FILE_NAMES[0]).unlink(), "incomplete"),
        (lambda cache: (cache / FILE_NAMES[0]).write_bytes(b"text"), "damaged"),
        (lambda cache: (cache / FILE_NAMES[0]).rename(cache / "aside"), "incomplete"),
    ],
)
def test_the_list_knows_what_is_not_intact(cli, given, cache, change, state):
    """A file is missing, or something else."""
    cli("download", "--from", given)
    change(cache)
    record = cli("download", "--list", "--json").records[0]
    assert (record["dataset"], record["state"], record["folder"]) == ("mnist", state, str(cache))


def test_compressed_files_are_intact_too(cli, given, cache):
    """Four .gz in the folder: complete, and the list says what they take."""
    cache.mkdir(parents=True)
    for name in FILE_NAMES:
        (cache / f"{name}.gz").write_bytes(gzip.compress((given / name).read_bytes()))
    assert cli("download").code == 0
    *datasets, end = cli("download", "--list", "--json").records
    assert datasets[0]["state"] == "intact"
    assert datasets[0]["bytes"] == sum((cache / f"{name}.gz").stat().st_size for name in FILE_NAMES)
    assert end["event"] == "end"
    assert end["datasets"] == len(datasets) == len(downloadable()) + 1


def test_no_command_reads_damaged_data(cli, given, cache):
    """A flipped byte in the cache, and no network: ``train --dataset mnist`` ends with exit 3 and says what to do."""
    cli("download", "--from", given)
    content = bytearray((cache / FILE_NAMES[0]).read_bytes())
    content[-1] ^= 1
    (cache / FILE_NAMES[0]).write_bytes(content)
    done = cli("train", "--dataset", "mnist", "--epochs", "1")
    assert done.code == 3
    assert (cache / FILE_NAMES[0]).read_bytes() == content
    assert f"mnist-bp: {cache / FILE_NAMES[0]}: checksum mismatch (SHA-256)" in done.err
    assert cli("download", "--from", given).code == 0
    assert cli("train", "--dataset", "mnist", "--epochs", "1", "--hidden", "none").code == 0
