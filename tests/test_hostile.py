"""Hostile input: files that were changed to do harm, and names that would steer a terminal, through every command.

Each mutated file is made from a seed by ``scripts/_fuzz``; ``scripts/fuzz`` reads more, and repeats one that fails.
"""

import gc
import io
import os
import pickle
import re
import shlex
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from random import Random

import numpy as np
import pytest
from _fuzz import archives
from _fuzz import targets as fuzz
from PIL import Image

from mnist_bp import Network
from mnist_bp.cli.config import read_config
from mnist_bp.cli.declared import with_options
from mnist_bp.cli.main import main
from mnist_bp.cli.predict import SAMPLE
from mnist_bp.cli.train import train as train_command
from mnist_bp.data.image_file import read_image
from mnist_bp.errors import AnswerIsNo, InputError
from mnist_bp.reports.console import LONGEST, printable
from mnist_bp.storage import npz
from mnist_bp.training.config_file import LIMIT

MUTATIONS = int(os.environ.get("MNIST_BP_MUTATIONS", "300"))
SHARES = {
    "model": 5,
    "checkpoint": 50,
    "config": 10,
    "images": 4,
    "labels": 4,
    "image": 10,
    "csv": 5,
    "npz": 5,
    "pictures": 10,
    "responses": 5,
    "zip": 5,
}
"""Divisors of ``MUTATIONS`` for each kind of file, according to its duration."""

SCRIPTS = Path(__file__).parent.parent / "scripts"
IS_WINDOWS = sys.platform == "win32"
"""True on Windows, whose file names cannot contain quotes or control characters."""


@pytest.fixture(autouse=True)
def tracing_ends():
    """Stop tracing memory, which a check of ``scripts/_fuzz`` does not."""
    yield
    tracemalloc.stop()
    gc.unfreeze()


# --- mutated files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_a_mutated_file_is_read_or_refused(target):
    """An error of ours, in one line; bounded memory; no pickle opened. Both happen: some are read, most refused."""
    cases = [fuzz.check(target, seed) for seed in range(MUTATIONS // SHARES[target])]
    assert 0 < sum(case.is_read for case in cases) < len(cases) / 2


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_a_seed_makes_the_same_file_each_time(target):
    """So that a failure can be repeated."""
    files = [[fuzz.TARGETS[target].make(Random(seed)) for seed in range(10)] for _ in range(2)]
    assert files[0] == files[1]
    assert len(set(files[0])) > 5


def a_pickle_is_opened(path):
    """Load a pickle, which no reader does."""
    archives._spring()


def gone_wrong(path):
    """An error that is none of ours."""
    raise KeyError("meta")


def greedy(path):
    """100 MB for a file of a few bytes."""
    bytearray(100_000_000)


def a_wrong_code(path):
    """An error that says: it ran, and the answer is no."""
    raise AnswerIsNo("no")


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (a_pickle_is_opened, "a pickle was opened"),
        (gone_wrong, "KeyError: 'meta'"),
        (greedy, "took 100,0"),
        (a_wrong_code, "exit code 1: no"),
    ],
)
def test_the_check_would_notice(monkeypatch, read, said):
    """Each of the things that must not happen is a failure."""
    monkeypatch.setitem(fuzz.TARGETS, "labels", fuzz.TARGETS["labels"]._replace(read=read))
    with pytest.raises(fuzz.Failure, match=said):
        fuzz.check("labels", 0)


def test_the_trap_in_the_archives_works():
    """Whoever opens the pickle springs it."""
    pickle.loads(pickle.dumps(archives._Trap()))
    assert archives.SPRUNG.pop() == "a pickle was opened"


def test_the_script_reads_more_of_them():
    """``scripts/fuzz``: a line for each target, exit 0."""
    command = [sys.executable, SCRIPTS / "fuzz", "--target", "labels", "--cases", "3", "--seed", "5"]
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(r"labels: 3 cases: \d read, \d refused, 0 failed; longest .*\n", ran.stdout)


# --- single traps ----------------------------------------------------------------------------------------------------


def npy(array):
    """An array as .npy."""
    room = io.BytesIO()
    np.lib.format.write_array(room, array)
    return room.getvalue()


def test_arrays_that_overlap_are_refused_unread():
    """300 arrays that overlap in 300 kB claim 90 MB, but are rejected with almost no memory."""
    names = [f"a{number:03}.npy".encode() for number in range(300)]
    tail = bytes(300_000)
    directory, content = [], b""
    for place, name in reversed(list(enumerate(names))):  # each array holds the headers of all after it
        crc, size, start = zlib.crc32(tail), len(tail), place * (30 + len(name))
        numbers = struct.pack("<5H3I2H", 20, 0, 0, 0, 33, crc, size, size, len(name), 0)
        directory.insert(0, b"PK\1\2\x14\0" + numbers + struct.pack("<3H2I", 0, 0, 0, 0, start) + name)
        tail = content = b"PK\3\4" + numbers + name + tail
    index = b"".join(directory)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 300, 300, len(index), len(content), 0)
    Path("overlap.npz").write_bytes(content + index + end)
    with zipfile.ZipFile("overlap.npz", "a") as file:
        file.writestr("meta.npy", npy(np.array('{"format": 1}')))
        assert sum(info.file_size for info in file.infolist()) > 90_000_000
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="claim more bytes than the file has"):
            npz.read("overlap.npz", "thing", [1])
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x", "'x', which is not an array of mnist-bp"),
        ("../x.npy", "which is not an array"),
        ("\x1b.npy", r"'\\x1b\.npy'"),
    ],
)
def test_a_member_that_is_no_array_is_refused(name, said):
    """By its name, spelled out."""
    with zipfile.ZipFile("x.npz", "w") as file:
        file.writestr("meta.npy", npy(np.array('{"format": 1}')))
        file.writestr(name, npy(np.zeros(3)))
    with pytest.raises(InputError, match=said):
        npz.read("x.npz", "thing", [1])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused():
    """Programs would not agree on which counts."""
    with zipfile.ZipFile("x.npz", "w") as file:
        for array in (np.array('{"format": 1}'), np.array('{"format": 2}')):
            file.writestr("meta.npy", npy(array))
    with pytest.raises(InputError, match="two arrays with the same name"):
        npz.read("x.npz", "thing", [1, 2])


def test_a_model_with_many_outputs_takes_no_more_memory_than_its_file_explains(rng):
    """20,000 outputs, 160 kB: a square of them would take 1.6 GB."""
    Network([1, 20_000], rng=rng).save("wide.npz")
    tracemalloc.start()
    try:
        Network.load("wide.npz")
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["EPS", "TIFF", "ICO"])
def test_an_image_of_another_format_is_not_even_looked_at(kind, monkeypatch):
    """Pillow would let Ghostscript run what a PostScript file says."""
    Image.new("L", (28, 28)).save("x.png", kind)
    Image.init()
    monkeypatch.setattr(Image, "OPEN", {**Image.OPEN, kind: (pytest.fail, None)})
    with pytest.raises(InputError, match="expected PNG, JPEG, GIF, BMP, PPM"):
        read_image(Path("x.png"), (28, 28))


def png_header(width, height):
    """The first bytes of a PNG file, for grey levels of 8 bits."""
    header = b"IHDR" + struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_a_chunk_that_claims_gigabytes_takes_no_memory():
    """A PNG file of some 60 bytes, whose last chunk should have 4 GB: no room is made for them."""
    content = zlib.compress((b"\0" + bytes(14) + b"\xff" * 2 + bytes(12)) * 28)
    Path("x.png").write_bytes(png_header(28, 28) + b"\xf0\0\0\0IDAT" + content + bytes(4))
    read_image(Path("x.png"), (28, 28))  # the first one imports Pillow
    tracemalloc.start()
    try:
        assert (read_image(Path("x.png"), (28, 28)) > 0).sum() == 20
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_an_image_that_is_too_large_a_file_is_refused():
    """Whatever is in it."""
    with Path("x.png").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(InputError, match="larger than 67,108,864 bytes"):
        read_image(Path("x.png"), (28, 28))


@pytest.mark.parametrize("side", [8_193, 50_000, 2**31 - 1])
def test_an_image_of_too_many_pixels_is_refused_unread(side):
    """By its header: no room is made for them."""
    Path("x.png").write_bytes(png_header(side, side) + b"\0\0\0\x0cIDAT" + bytes(20))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"x\.png has more than 67,108,864 pixels: resize it"):
            read_image(Path("x.png"), (28, 28))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#" * (LIMIT + 1), "is larger than 1,048,576 bytes"),
        (b"seed = " + b"9" * 5000, "is not a TOML file"),
        (b"seed = 0x" + b"f" * 5000, "seed: the number is too large"),
        (b"hidden = [0x" + b"f" * 5000 + b"]", "hidden: the number is too large"),
    ],
)
def test_a_config_that_is_too_much_is_refused(content, said):
    """Too long, or with numbers that Python does not write."""
    Path("c.toml").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_config(Path("c.toml"), with_options(train_command))


@pytest.mark.skipif(IS_WINDOWS, reason="has no /dev/zero")
def test_a_config_without_end_is_refused(cli):
    """Exit 2, at once."""
    assert cli("train", "--config", "/dev/zero").code == 2


def test_a_line_has_a_limited_length():
    """A line of a megabyte is cut to 10,000 characters, followed by the number of the others."""
    assert printable("x" * 1_000_000) == "x" * LONGEST + f"… ({1_000_000 - LONGEST:,} more characters)"


# --- names -----------------------------------------------------------------------------------------------------------

STEERING = "\x1b[31mx\x1b]0;title\x07 a\rb\n\u202egnp.x\u2066 \x9b31mx\x08\x08\u2029\u200b\x7f"
"""Escape sequences, control characters of both blocks, what turns the direction of writing, line separators."""

MARKUP = "[red]x [/nonsense] [bold]x[/bold].npz :smile:"

RICHS_OWN = re.compile(r"\x1b\[[0-9;]*[mAK]|\x1b\[\?25[lh]|\r")
"""Colours, and what moves the cursor under a bar."""

no_such_names = pytest.mark.skipif(IS_WINDOWS, reason="no such file names")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Yes."""
        return True


@pytest.fixture
def screen(monkeypatch):
    """Run ``mnist-bp`` at a terminal; what it shows, without Rich's own control sequences."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        shown = Screen()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", shown)
            patch.setattr(sys, "stderr", shown)
            with pytest.raises(SystemExit):
                main([str(argument) for argument in arguments])
        return RICHS_OWN.sub("", shown.getvalue())

    return run


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` for an epoch on 50 of the few digits, into that folder."""
    return lambda output, *arguments: cli(
        "train", "--data-dir", idx_folder, "--limit", 50, "--hidden", 2, "--epochs", 1, "--output", output, *arguments
    )


def assert_is_harmless(shown):
    """Nothing but what is seen, and ends of lines."""
    assert shown
    assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize(
    "name",
    [
        "with spaces, it's 日本 é %s{} ~ $HOME", "x" * 250, "[red]x", "a/../b",
        pytest.param('a "quoted" :smile: back\\slash', marks=no_such_names),
    ],
)  # fmt: skip
def test_a_folder_may_have_any_name(cli, train, name):
    """Train into it, and every next command, as it is shown, works on it; nothing is made elsewhere."""
    done = train(name)
    assert done.code == 0
    for line, lead, command in zip(done.out.splitlines()[-2:], ("next: ", "or:   "), ("page", "evaluate"), strict=True):
        words = shlex.split(line.removeprefix(lead))
        assert words == ["mnist-bp", command, words[-1]]
        assert Path(words[-1]) == Path(name)
        assert cli(*words[1:]).code == 0
    assert f"model     {Path(name).resolve() / 'model.npz'}: " in cli("evaluate").out  # the latest run
    assert cli("train", "--config", Path(name) / "config.toml", "--output", "again").code == 0
    assert cli("train", "--resume", name, "--epochs", 2).code == 0
    assert {path.name for path in Path().iterdir()} == {Path(name).parts[0], Path(name).name, "again", "runs"}


@no_such_names
def test_a_name_never_steers_the_terminal(cli, train, screen):
    """It holds for existing and missing files, in results and in errors, in a pipe and on a terminal."""
    name = STEERING
    assert_is_harmless(train(name).out)
    Image.linear_gradient("L").save(f"{name}.png")
    commands = [
        ["evaluate", name], ["gradcheck", name, "--examples", 1], ["explain", name], ["train", "--resume", name],
        ["download", "--list", "--data-dir", name], ["evaluate", f"{name}/config.toml"], ["train", "--output", name],
        ["evaluate", name, "--data-dir", name], ["explain", name, "--image", f"{name}/model.npz", "--label", 1],
        ["train", "--config", name], ["train", "--config", f"{name}/model.npz"], ["evaluate", f"{name}{name}"],
        ["train", "--resume", f"{name}{name}"],
        ["train", "--dataset", name], ["train", name], [name], [f"--{name}"], ["download", "--from", name],
        ["download", "--from", f"{name}x"], ["explain", "--weight", name],
        ["gradcheck", name, "--function", f"{name}:x"], ["predict", name], ["predict", name, "--model", name],
        ["predict", f"{name}.png", f"{name}.png", "--model", name],
        ["predict", f"{name}.png", "--model", name, "--json"],
    ]  # fmt: skip
    for command in commands:
        done = cli(*command)
        assert_is_harmless(done.out + done.err)
        shown = screen(*command)
        assert_is_harmless(shown)


@pytest.mark.parametrize("name", ["[red]x", "[/nonsense]"])
def test_markup_in_a_name_is_printed_as_it_stands(cli, screen, name):
    """In errors."""
    for command in (["evaluate", name], ["train", "--config", name], ["download", "--from", name]):
        assert name in cli(*command).err
        assert name in screen(*command)


def test_markup_in_the_name_of_an_image_is_printed_as_it_stands(cli, screen, rng):
    """Above its picture."""
    Network([784, 3, 10], rng=rng).save("model.npz")
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:20, 14] = 255
    Image.fromarray(pixels).save("[red]x.png")
    assert "\n[red]x.png\n" in cli("predict", "[red]x.png", "--model", "model.npz").out
    assert "\n[red]x.png\n" in screen("predict", "[red]x.png", "--model", "model.npz")


def test_markup_in_a_table_is_printed_as_it_stands(screen):
    """The folders of ``download --list`` at a terminal."""
    assert f"{MARKUP}/mnist" in screen("download", "--list", "--data-dir", MARKUP)


@pytest.mark.parametrize("said", [STEERING, MARKUP, "x" * 100_000, {STEERING: [STEERING]}])
def test_what_a_model_file_states_never_steers_the_terminal(cli, train, screen, said):
    """The recorded dataset may be any JSON value, and the names of its classes any strings."""
    train("run")
    arrays, meta = npz.read("run/model.npz", "model file", [2])
    npz.write("evil.npz", arrays, {**meta, "dataset": said, "class_names": [STEERING] * 10})
    commands = [["evaluate", "evil.npz"], ["explain", "evil.npz"], ["gradcheck", "evil.npz", "--examples", 1]]
    for command in commands:
        done = cli(*command)
        assert done.code == 0
        assert_is_harmless(done.out)
        assert len(done.out) < 20_000
    assert_is_harmless(cli("predict", SAMPLE, "--model", "evil.npz").out)
    shown = screen("evaluate", "evil.npz")
    assert_is_harmless(shown)
    if said == MARKUP:
        assert f"The network was trained on {said}, and" in shown


def test_a_key_of_a_config_never_steers_the_terminal(cli):
    """Keys and values, in one line of error."""
    escaped = "".join(f"\\U{ord(character):08x}" for character in STEERING)
    for text in (f'"{escaped}" = 1', f'epochs = "{escaped}"', f'dataset = "{escaped}"', f'hidden = "{escaped}"'):
        Path("c.toml").write_text(text, encoding="utf-8")
        done = cli("train", "--config", "c.toml")
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert_is_harmless(done.err)


# --- parents ---------------------------------------------------------------------------------------------------------


def test_a_config_may_name_a_parent_folder(cli, idx_folder, monkeypatch):
    """``..`` is that of the working folder, for data and for the run; nothing that is there is overwritten."""
    Path("inner").mkdir()
    Path("c.toml").write_text("data-dir = '..'\noutput = '../mine'\nepochs = 1\nlimit = 50", encoding="utf-8")
    Path("precious").write_text("mine", encoding="utf-8")
    for path in idx_folder.iterdir():
        path.rename(path.name)
    before = {path.name for path in Path().iterdir()}
    monkeypatch.chdir("inner")
    done = cli("train", "--config", "../c.toml")
    assert done.code == 0
    assert {path.name for path in Path("..").iterdir()} == {*before, "mine"}
    again = cli("train", "--config", "../c.toml")
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert "already contains a run" in again.err
    assert cli("evaluate").code == 0  # by runs/latest
    assert cli("train", "--config", "../c.toml", "--output", "..").code == 0
    assert Path("../precious").read_text(encoding="utf-8") == "mine"
    assert {path.name for path in Path("..").iterdir()} - before == {
        "mine", "config.toml", "history.jsonl", "checkpoint.npz", "model.npz", "run.json",
    }  # fmt: skip


def test_where_a_model_states_that_its_data_lie_nothing_is_written(cli, rng):
    """A file from somewhere names a folder of data: it may be read, and no more than that."""
    network = Network([784, 3, 10], rng=rng)
    network.save("evil.npz", {"config": {"dataset": "mnist", "data-dir": "elsewhere"}})
    done = cli("evaluate", "evil.npz")
    assert (done.code, done.out) == (2, "")
    assert not Path("elsewhere").exists()
