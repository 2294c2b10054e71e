"""Downloads, from a loopback server that does everything wrong that mirrors do."""

import gzip
import hashlib
import io
import socket
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from mnist_bp.data import download as fetching
from mnist_bp.data import idx
from mnist_bp.data.download import download, is_intact
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.published import PublishedDataset, PublishedFile
from mnist_bp.errors import DataUnavailable

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILE_NAMES
SMALLEST = TEST_LABELS  # fetched first


def idx_bytes(shape):
    """An IDX file of arbitrary bytes."""
    file = io.BytesIO()
    idx.write(file, np.random.default_rng(0).integers(0, 10, shape).astype(np.uint8))
    return file.getvalue()


CONTENT = dict(zip(FILE_NAMES, map(idx_bytes, [(90, 28, 28), (90,), (40, 28, 28), (40,)]), strict=True))
ZIPPED = {name: gzip.compress(content, mtime=0) for name, content in CONTENT.items()}
WEB_PAGE = b"<!DOCTYPE html><title>Please log in</title>" * 20


def sum_of(content):
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def published(*mirrors, content_sums=True):
    """The dataset of ``CONTENT``, with the sums of the contents or only those of the .gz."""
    files = (
        PublishedFile(name, len(content), sum_of(ZIPPED[name]), sum_of(content) if content_sums else None)
        for name, content in CONTENT.items()
    )
    return PublishedDataset("mnist", "its makers", tuple(files), mirrors)


class Mirror(BaseHTTPRequestHandler):
    """Answers a file's URL as the first folder of its path says: /good/…, /missing/… and so on."""

    def do_GET(self):
        """Answer, and remember what was asked."""
        self.server.asked.append(self.path.strip("/"))
        behaviour, name = self.path.strip("/").split("/")
        self.zipped, self.content = ZIPPED[name.removesuffix(".gz")], CONTENT[name.removesuffix(".gz")]
        getattr(self, behaviour)()

    def answer(self, body, status=200, length=None, **headers):
        """Send a whole response, or one that promises more than it has."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        """As it should be."""
        self.answer(self.zipped)

    def recompressed(self):
        """The right content, compressed by somebody else: another .gz."""
        self.answer(gzip.compress(self.content, compresslevel=1, mtime=1))

    def encoded(self):
        """The .gz file called gzip *encoded*, which invites a client to decompress it."""
        self.answer(self.zipped, Content_Encoding="gzip", Content_Type="application/octet-stream")

    def eager(self):
        """Compressed once more for every client that accepts it."""
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.answer(gzip.compress(self.zipped), Content_Encoding="gzip")
        else:
            self.answer(self.zipped)

    def chunked(self):
        """In pieces, their total not said."""
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(self.zipped), 5000):
            piece = self.zipped[start : start + 5000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def moved(self):
        """Elsewhere, at the good mirror."""
        self.answer(b"", 302, Location=self.path.replace("/moved/", "/good/"))

    def missing(self):
        """Not found."""
        self.answer(WEB_PAGE, 404)

    def forbidden(self):
        """Forbidden, as yann.lecun.com answers."""
        self.answer(WEB_PAGE, 403)

    def broken(self):
        """An error of the server's own."""
        self.answer(WEB_PAGE, 503)

    def page(self):
        """A web page that calls itself a success."""
        self.answer(WEB_PAGE)

    def empty(self):
        """A success of no bytes."""
        self.answer(b"")

    def plain(self):
        """The right content, not compressed."""
        self.answer(self.content)

    def other(self):
        """Other content of the right length."""
        self.answer(gzip.compress(bytes(len(self.content))))

    def flipped(self):
        """One bit of the compressed file is another."""
        damaged = bytearray(self.zipped)
        damaged[len(damaged) // 2] ^= 1
        self.answer(bytes(damaged))

    def cut(self):
        """Half of the body that was promised."""
        self.answer(self.zipped[: len(self.zipped) // 2], length=len(self.zipped))

    def half(self):
        """Half of the file as if it were the whole."""
        self.answer(self.zipped[: len(self.zipped) // 2])

    def unfinished(self):
        """All but the last 4 bytes: all of the content, and no end of the gzip stream."""
        self.answer(self.zipped[:-4])

    def long(self):
        """One byte more than the published content."""
        self.answer(gzip.compress(self.content + b"\0"))

    def appended(self):
        """The published file, then something else."""
        self.answer(self.zipped + b"and so on")

    def bomb(self):
        """64 MB in 64 kB."""
        self.answer(BOMB)

    def stalled(self):
        """Half of the body, then nothing, on a line that stays open."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.zipped)))
        self.end_headers()
        self.wfile.write(self.zipped[: len(self.zipped) // 2])
        self.server.over.wait(30)

    def log_message(self, *args):
        """Say nothing."""


BOMB = gzip.compress(bytes(64_000_000))


@pytest.fixture(scope="module")
def server():
    """The server that has all these mirrors."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    server.asked, server.over = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def url(server):
    """The URL of a mirror that behaves so."""
    server.asked.clear()
    return lambda behaviour: f"http://127.0.0.1:{server.server_port}/{behaviour}/"


@pytest.fixture
def unreachable():
    """The URL of a port that refuses connections, because nobody listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"


@pytest.fixture
def silent():
    """The URL of a port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.fixture
def folder(tmp_path):
    """Where to; not there yet."""
    return tmp_path / "cache" / "mnist"


def assert_complete(folder):
    """The four files with the published content, and nothing else, are in the folder."""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT


def refusal(folder, dataset, **options):
    """The text of the error; one line, and no file is left in the folder."""
    with pytest.raises(DataUnavailable) as error:
        download(dataset, folder, **options)
    assert list(folder.iterdir()) == []
    assert str(error.value).isprintable()
    return str(error.value)


# What works


@pytest.mark.parametrize("behaviour", ["good", "recompressed", "encoded", "eager", "chunked", "moved"])
def test_a_dataset_is_fetched_and_decompressed(folder, url, behaviour):
    """The folder is made and holds the four published contents, however the mirror transfers them."""
    download(published(url(behaviour)), folder)
    assert_complete(folder)


@pytest.mark.parametrize("behaviour", ["good", "encoded", "eager"])
def test_the_sum_of_the_gz_is_enough(folder, url, behaviour):
    """Where no sum of the content is published, that of the .gz as it was sent counts."""
    download(published(url(behaviour), content_sums=False), folder)
    assert_complete(folder)


def test_small_files_come_first(folder, url, server):
    """A mirror that does not work shows at the first 500 bytes, not after the largest file."""
    download(published(url("good")), folder)
    names = [TEST_LABELS, TRAIN_LABELS, TEST_IMAGES, TRAIN_IMAGES]
    assert server.asked == [f"good/{name}.gz" for name in names]


def test_progress_is_told_up_to_the_whole(folder, url, monkeypatch):
    """Each file's bytes rise, piece by piece, to its decompressed size, which is told once, at its end."""
    monkeypatch.setattr(fetching, "CHUNK", 1000)
    told = []
    download(published(url("good")), folder, progress=lambda *piece: told.append(piece))
    for name, content in CONTENT.items():
        done = [so_far for file, so_far, size in told if file == name and size == len(content)]
        assert done == sorted(done)
        assert done.count(len(content)) == 1
        assert done[-1] == len(content)
    assert len(told) > 2 * len(FILE_NAMES)


# Mirrors that fail

FAULTS = {
    "missing": "HTTP 404 Not Found",
    "forbidden": "HTTP 403 Forbidden",
    "broken": "HTTP 503 Service Unavailable",
    "page": "its answer is not a .gz file, or a damaged one",
    "empty": "0 of 48 bytes, then nothing",
    "plain": "its answer is not a .gz file, or a damaged one",
    "other": "other content than the published file's (SHA-256)",
    "flipped": "its answer is not a .gz file, or a damaged one",
    "cut": "broke off",
    "half": " of 48 bytes, then nothing",
    "unfinished": "48 of 48 bytes, then nothing",
    "long": "more than the 48 bytes of the published file",
    "appended": "more than the 48 bytes of the published file",
    "bomb": "more than the 48 bytes of the published file",
}


@pytest.mark.parametrize("behaviour", FAULTS)
def test_a_faulty_mirror_is_told_with_its_fault(folder, url, behaviour):
    """The error is one line that names the file, the mirror, the reason and what to do; no file is left."""
    text = refusal(folder, published(url(behaviour)))
    assert text.startswith(f"cannot get {SMALLEST}.gz ({url(behaviour)}: ")
    assert FAULTS[behaviour] in text
    assert text.endswith(
        "name another --mirror, or a folder that has the files (--data-dir), or train on --dataset synthetic"
    )


@pytest.mark.parametrize("behaviour", FAULTS)
def test_after_a_faulty_mirror_comes_the_next(folder, url, server, behaviour):
    """The second mirror gives all four files, and is the first to be asked from then on."""
    download(published(url(behaviour), url("good")), folder)
    assert_complete(folder)
    assert [asked for asked in server.asked if not asked.startswith("good/")] == [f"{behaviour}/{SMALLEST}.gz"]


def test_damage_is_found_without_a_sum_of_the_content(folder, url):
    """Other content of the right length is refused also where only the sum of the .gz is published."""
    assert "(SHA-256)" in refusal(folder, published(url("other"), content_sums=False))


def test_a_bomb_is_not_unpacked(folder, url):
    """Of 64 MB that were not announced, less than 2 MB are ever in memory."""
    tracemalloc.start()
    try:
        refusal(folder, published(url("bomb")))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_what_fails_is_not_told_as_arrived(folder, url):
    """Content of the right length with the wrong sum is never reported as complete."""
    told = []
    refusal(folder, published(url("other")), progress=lambda *piece: told.append(piece))
    assert (SMALLEST, 48, 48) not in told


def test_all_mirrors_are_named_with_their_reasons(folder, url, unreachable):
    """Three mirrors that fail differently: three URLs and three reasons, in the order in which they were asked."""
    text = refusal(folder, published(url("missing"), unreachable, url("page")))
    reasons = [
        f"{url('missing')}: HTTP 404 Not Found",
        f"{unreachable}: cannot be reached",
        f"{url('page')}: its answer is not a .gz file, or a damaged one",
    ]
    assert f"({'; '.join(reasons)})" in text


def test_a_given_mirror_is_asked_first(folder, url, server):
    """``mirrors`` come before the dataset's own, with or without a slash at the end."""
    download(published(url("missing")), folder, mirrors=[url("good").rstrip("/")])
    assert_complete(folder)
    assert {asked.split("/")[0] for asked in server.asked} == {"good"}


def test_where_a_given_mirror_fails_the_datasets_own_are_asked(folder, url):
    """A ``--mirror`` that does not work is no reason to fail."""
    download(published(url("good")), folder, mirrors=[url("missing")])
    assert_complete(folder)


def test_a_mirror_that_never_answers_is_given_up(folder, url, silent, monkeypatch):
    """It takes the connection and says nothing: after ANSWER_SECONDS the next one is asked, for all files."""
    monkeypatch.setattr(fetching, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(fetching, "READ_SECONDS", 1)  # so that the thread that asks ends soon, too
    download(published(silent, url("good")), folder)
    assert_complete(folder)


def test_a_mirror_that_never_answers_is_named(folder, silent, monkeypatch):
    """The error says how long was waited."""
    monkeypatch.setattr(fetching, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(fetching, "READ_SECONDS", 1)  # so that the thread that asks ends soon, too
    assert f"{silent}: no answer within 0.2 s" in refusal(folder, published(silent))


def test_a_mirror_that_stops_answering_is_given_up(folder, url, monkeypatch):
    """Half of a body, then silence: after READ_SECONDS it broke off."""
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.2)
    assert "broke off" in refusal(folder, published(url("stalled")))


@pytest.mark.parametrize(
    ("mirror", "reason"),
    [
        ("http://mirror.invalid/", "its name cannot be looked up (no network?)"),
        ("mirror.invalid", "No scheme supplied"),
        ("ftp://mirror.invalid/", "No connection adapters were found"),
        (f"http://{'a' * 64}.invalid/", "label empty or too long"),
    ],
)
def test_a_mirror_that_cannot_be_asked_is_named(folder, mirror, reason):
    """A name that nobody knows, no scheme, a strange one, a name that cannot be: each has its reason, at once."""
    assert reason in refusal(folder, published(mirror))


def test_a_missing_certificate_bundle_is_a_reason_too(folder, tmp_path, monkeypatch):
    """REQUESTS_CA_BUNDLE names a file that is not there: said at once, and not as a traceback of a thread."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    assert "absent.pem" in refusal(folder, published("https://127.0.0.1:9/"))


# What is in the folder already


def test_intact_files_are_not_fetched_again(folder, url, server):
    """The second download asks for nothing."""
    download(published(url("good")), folder)
    server.asked.clear()
    download(published(url("good")), folder)
    assert server.asked == []


def test_intact_files_need_no_mirror(folder, url, unreachable):
    """Offline, a complete folder is as good as a download."""
    download(published(url("good")), folder)
    download(published(unreachable), folder)
    assert_complete(folder)


@pytest.mark.parametrize("content_sums", [True, False])
def test_force_fetches_everything_again(folder, url, server, content_sums):
    """With ``force``, intact files are asked for like missing ones."""
    download(published(url("good"), content_sums=content_sums), folder)
    server.asked.clear()
    download(published(url("good"), content_sums=content_sums), folder, force=True)
    assert sorted(server.asked) == sorted(f"good/{name}.gz" for name in FILE_NAMES)
    assert_complete(folder)


CUT_OFF, CHANGED = CONTENT[TRAIN_LABELS][:-1], b"\1" + CONTENT[TRAIN_LABELS][1:]


@pytest.mark.parametrize("damaged", [b"", b"text", CUT_OFF, CHANGED], ids=["empty", "text", "cut off", "changed"])
def test_only_the_damaged_file_is_fetched_again(folder, url, server, damaged):
    """One file emptied, replaced, cut off or changed in one byte: that one is fetched, the three others are kept."""
    download(published(url("good")), folder)
    (folder / TRAIN_LABELS).write_bytes(damaged)
    server.asked.clear()
    download(published(url("good")), folder)
    assert server.asked == [f"good/{TRAIN_LABELS}.gz"]
    assert_complete(folder)


def test_a_failed_force_keeps_what_was_there(folder, url):
    """Where no mirror gives a file, the intact one stays."""
    download(published(url("good")), folder)
    with pytest.raises(DataUnavailable):
        download(published(url("cut")), folder, force=True)
    assert_complete(folder)


def test_what_arrived_before_a_failure_is_kept(folder, url, server, monkeypatch):
    """The mirror has lost its largest file: the three others stay, and the next download asks only for that one."""
    dataset = published(url("good"))
    with monkeypatch.context() as patch:
        patch.setitem(ZIPPED, TRAIN_IMAGES, WEB_PAGE)
        with pytest.raises(DataUnavailable, match=f"cannot get {TRAIN_IMAGES}.gz"):
            download(dataset, folder)
    assert {path.name for path in folder.iterdir()} == {*FILE_NAMES} - {TRAIN_IMAGES}
    server.asked.clear()
    download(dataset, folder)
    assert server.asked == [f"good/{TRAIN_IMAGES}.gz"]
    assert_complete(folder)


def test_intact_means_the_published_content(tmp_path):
    """Missing, a folder, of another size, of other content: not intact; the content itself is."""
    file = published().files[FILE_NAMES.index(TEST_LABELS)]
    path = tmp_path / TEST_LABELS
    assert not is_intact(tmp_path, file)
    for content, expected in [(b"", False), (bytes(48), False), (CONTENT[TEST_LABELS], True)]:
        path.write_bytes(content)
        assert is_intact(tmp_path, file) is expected
    path.unlink()
    path.mkdir()
    assert not is_intact(tmp_path, file)


def test_without_a_sum_of_the_content_its_size_has_to_do(tmp_path):
    """Where only the .gz has a published sum, a file of the right size counts as intact, one of another not."""
    file = published(content_sums=False).files[FILE_NAMES.index(TEST_LABELS)]
    (tmp_path / TEST_LABELS).write_bytes(bytes(48))
    assert is_intact(tmp_path, file)
    (tmp_path / TEST_LABELS).write_bytes(bytes(47))
    assert not is_intact(tmp_path, file)


# Folders that cannot be written


def test_a_folder_that_cannot_be_made_is_said(tmp_path, url, server):
    """A file in the folder's place: the error names the folder, the reason and --data-dir, before anything is asked."""
    (tmp_path / "file").write_text("text")
    with pytest.raises(DataUnavailable) as error:
        download(published(url("good")), tmp_path / "file" / "mnist")
    text = str(error.value)
    assert text.startswith(f"cannot write to {tmp_path / 'file' / 'mnist'} (")
    assert text.endswith("): choose another folder with --data-dir")
    assert text.isprintable()
    assert server.asked == []


def test_a_file_that_cannot_be_written_is_said(folder, url):
    """A folder in a file's place: the error says that writing failed, and no part of a file is left."""
    (folder / SMALLEST).mkdir(parents=True)
    with pytest.raises(DataUnavailable, match="cannot write to"):
        download(published(url("good")), folder)
    assert [path.name for path in folder.iterdir()] == [SMALLEST]


def test_an_interrupt_leaves_nothing(folder, url):
    """Ctrl-C in the midst of a file goes through, and no part of the file is left."""

    def interrupt(name, done, size):
        if name == TRAIN_IMAGES:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(published(url("good")), folder, progress=interrupt)
    assert {path.name for path in folder.iterdir()} == {*FILE_NAMES} - {TRAIN_IMAGES}
