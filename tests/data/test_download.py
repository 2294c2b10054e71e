"""Downloads, from a loopback server that does everything wrong that mirrors do."""

import errno
import os
import socket
import tempfile
import threading
import tracemalloc
from pathlib import Path

import pytest
from kill_download import fetching_process, kill_at_random
from mirrors import CONTENT, MEGABYTE_OF_ZEROS, ZIPPED, published, serving
from requests.auth import _basic_auth_str

from mnist_bp.data.download import cache, http, request
from mnist_bp.data.download import fetch as fetching
from mnist_bp.data.download.cache import MANIFEST, verify
from mnist_bp.data.download.fetch import download
from mnist_bp.data.download.verify import VerifiedFile
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.errors import DataUnavailable, OutputClosed

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILE_NAMES
HINT = "mnist-bp download can use other sources (--mirror, --from); --dataset synthetic needs no files"


@pytest.fixture(scope="module")
def running():
    """The server, for all tests."""
    with serving() as server:
        yield server


@pytest.fixture
def server(running, monkeypatch):
    """Provide the server without earlier requests, and make the client retry without pauses."""
    running.forget()
    running.zipped = dict(ZIPPED)
    monkeypatch.setattr(http, "PAUSES", (0.001, 0.001, 0.001))
    monkeypatch.setattr(http, "LONGEST_PAUSE", 0.001)
    return running


@pytest.fixture
def impatient(monkeypatch):
    """Shorten the timeouts, for tests without a response. A busy machine needs longer for responses that do arrive."""
    monkeypatch.setattr(request, "READ_SECONDS", 0.2)
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.2)


@pytest.fixture
def url(server):
    """The URL of a mirror that behaves so, one behaviour after the other, the last one from then on."""
    return server.url


@pytest.fixture
def unreachable():
    """Provide the URL of a port that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"


@pytest.fixture
def silent(impatient):
    """The URL of a port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.fixture
def folder(tmp_path):
    """Return the target folder, which does not exist yet."""
    return tmp_path / "cache" / "mnist"


def data_files(folder):
    """Return the files in the folder without the manifest."""
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.name != MANIFEST}


def assert_complete(folder):
    """The four files with the published content, and nothing else but the manifest, are in the folder."""
    assert data_files(folder) == CONTENT


def refusal(folder, dataset, **options):
    """The text of the error; one line, and no folder is left that was not there."""
    was_there = folder.exists()
    with pytest.raises(DataUnavailable) as error:
        download(dataset, folder, **options)
    assert folder.exists() == was_there
    assert list(folder.glob("*")) == []
    assert str(error.value).isprintable()
    return str(error.value)


def states(outcomes):
    """Return the state of each file."""
    return {outcome.file: outcome.state for outcome in outcomes}


# Every fault. What the mirror does, in turn; what comes of it where there is no other mirror: None if the files are
# there in that one call, else the reason in the error. With another mirror the files are always there.

FAULTS = {
    "403": (["forbidden"], "HTTP 403 Forbidden"),
    "404": (["missing"], "HTTP 404 Not Found"),
    "429 with Retry-After": (["busy", "good"], None),
    "429 with a date to come back": (["busy_until", "good"], None),
    "429 for ever": (["busy"], "HTTP 429 Too Many Requests"),
    "500 twice": (["error", "error", "good"], None),
    "500 for ever": (["error"], "HTTP 500 Internal Server Error"),
    "503, an hour to wait": (["unavailable", "good"], None),
    "503 for ever": (["unavailable"], "HTTP 503 Service Unavailable"),
    "cookie with an invalid date": (["cookie"], None),
    "redirect": (["moved"], None),
    "redirect in a circle": (["circular"], "more than 5 redirects"),
    "redirect with a body without an end": (["swamp"], None),
    "five redirects": (["circular"] * 5 + ["good"], None),
    "redirect to another protocol": (["to_ftp"], "redirects to something other than https:// or http://"),
    "redirect to nowhere": (["nowhere"], "HTTP 302 without a valid Location"),
    "429 with a time zone that overflows": (["busy_for_ever", "good"], None),
    "429 with 5,000 digits": (["busy_for_ages", "good"], None),
    "Range with 5,000 digits": (["cut", "endless_range", "good"], None),
    "ETag that cannot be sent back": (["cut_strange", "good"], None),
    "length: half of what it says": (["cut"], "broke off"),
    "length: half as if it were all": (["half"], " of 48 bytes"),
    "length: nothing": (["empty"], "ended after 0 of 48 bytes"),
    "length: nothing, then fine": (["empty", "good"], None),
    "body cut in half, then fine": (["cut", "good"], None),
    "body cut in half, then Range": (["cut", "ranged"], None),
    "end of the gzip stream missing": (["unfinished"], "ended after 48 of 48 bytes"),
    "end missing, then Range": (["unfinished", "ranged"], None),
    "reset in mid-file": (["reset", "good"], None),
    "reset in mid-file, then Range": (["reset", "ranged"], None),
    "reset in mid-file, for ever": (["reset"], "broke off"),
    "reset before the answer": (["dropped", "good"], None),
    "reset before the answer, for ever": (["dropped"], "broke off before the response"),
    "stall": (["stalled", "good"], None),
    "stall, then Range": (["stalled", "ranged"], None),
    "stall for ever": (["stalled"], "stalled: no data for 0.2 s"),
    "a byte at a time": (["dripping"], "too slow ("),
    "web page with 200": (["page"], "neither a .gz nor an IDX file; begins with b'<!DOCTYPE html><'"),
    "web page with 200, once": (["page", "good"], None),
    "a flipped bit": (["flipped"], "damaged .gz file"),
    "a flipped bit, once": (["flipped", "good"], None),
    "wrong content, right length": (["other"], "checksum mismatch (SHA-256)"),
    "wrong content, once": (["other", "good"], None),
    "valid .gz of other data": (["shorter"], "ended after "),
    "one byte more": (["long"], "more than the 48 bytes of the published file"),
    "gzip bomb of 10 GB": (["bomb"], "more than the 48 bytes of the published file"),
    "gzip that never says anything": (["windy"], "more than the 48 bytes of the published file"),
    "trailing garbage": (["appended"], "more than the 48 bytes of the published file"),
    "Range ignored": (["cut", "cut", "good"], None),
    "Range answered from elsewhere": (["cut", "wrong_start", "good"], None),
    "Range answered with other bytes": (["cut", "wrong_bytes", "good"], None),
    "Range not satisfiable": (["cut", "no_range", "good"], None),
    "Range answered wrongly, for ever": (["cut", "wrong_start"], "which was not requested"),
}


@pytest.fixture
def fault(request):
    """Provide each fault, with short timeouts for those that stall."""
    if request.param.startswith(("stall", "a byte")):
        request.getfixturevalue("impatient")
    return request.param


@pytest.mark.parametrize("fault", FAULTS, indirect=True)
def test_a_faulty_mirror_is_healed_or_reported_with_its_fault(folder, url, fault):
    """Alone it gives all four files in one call, or one line names file, mirror, reason and remedy; no file is left."""
    behaviours, reason = FAULTS[fault]
    if reason is None:
        download(published(url(*behaviours)), folder)
        assert_complete(folder)
    else:
        text = refusal(folder, published(url(*behaviours), content=SMALLEST))
        assert text.startswith(f"cannot download {TEST_LABELS}: {url(*behaviours)}: ")
        assert reason in text
        assert text.endswith(HINT)


SMALLEST = {TEST_LABELS: CONTENT[TEST_LABELS]}


@pytest.mark.parametrize("fault", [name for name, (_, reason) in FAULTS.items() if reason], indirect=True)
def test_after_a_faulty_mirror_comes_the_next(folder, url, fault):
    """With a second mirror all four files are there in one call, whatever it is that the first one does not mend."""
    download(published(url(*FAULTS[fault][0]), url("good")), folder)
    assert_complete(folder)


@pytest.mark.parametrize("behaviour", ["forbidden", "missing"])
def test_a_clear_no_is_not_asked_again(folder, url, server, behaviour):
    """403 and 404: once each, then the next mirror."""
    download(published(url(behaviour), url("good")), folder)
    assert sorted(server.asked) == sorted(
        (mirror, f"{name}.gz", None) for name in FILE_NAMES for mirror in (behaviour, "good")
    )


def test_what_has_arrived_is_not_sent_again(folder, url, server):
    """After half of a file, the other half is asked for, and the two make the whole."""
    download(published(url("cut", "ranged")), folder)
    assert_complete(folder)
    halves = {(f"{name}.gz", f"bytes={len(zipped) // 2}-") for name, zipped in ZIPPED.items()}
    assert {(name, told) for _, name, told in server.asked if told} == halves


def test_an_answer_that_changed_meanwhile_begins_anew(folder, url, server):
    """The half that arrived was of another version: If-Range makes the mirror send all of the new one."""
    download(published(url("cut_old", "ranged")), folder)
    assert_complete(folder)
    assert {told for _, _, told in server.asked} == {None, "bytes=20-"}


def test_a_mirror_is_waited_for_as_it_asks_within_reason(url, monkeypatch):
    """Retry-After: 0 is no pause at all, an hour is cut to LONGEST_PAUSE; who says nothing is given ours."""
    waited = []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            waited.append(timeout)
            return False

    monkeypatch.setattr(http, "PAUSES", (1, 2, 3))
    monkeypatch.setattr(http, "LONGEST_PAUSE", 4)
    file = published(content=SMALLEST).files[0]
    http.fetch_file(f"{url('busy', 'unavailable', 'error', 'good')}{file.name}.gz", VerifiedFile(file), Stop())
    assert waited == [0, 4, 3]


def test_a_mirror_that_never_answers_is_given_up(folder, url, silent):
    """It takes the connection and says nothing: the next one is asked, for all files."""
    download(published(silent, url("good")), folder)
    assert_complete(folder)


def test_a_mirror_that_never_answers_is_named(folder, server, silent, monkeypatch):
    """The error says how long was waited; a mirror that is not there at all is not waited for."""
    monkeypatch.setattr(request, "READ_SECONDS", 2)
    assert f"{silent}: no answer within 0.5 s" in refusal(folder, published(silent))


@pytest.mark.parametrize("mirrors", [1, 2, 5, 40])
def test_a_machine_without_a_network_knows_it_soon(folder, monkeypatch, mirrors):
    """However many mirrors there are, together they are not waited for longer than 18 s."""
    waited = []

    def fetch_file(url, intake, stop, *, patience, may_leave):
        waited.append(patience)
        raise fetching.Unusable("no answer")

    monkeypatch.setattr(http, "fetch_file", fetch_file)
    refusal(folder, published(*(f"http://{number}/" for number in range(mirrors)), content=SMALLEST))
    assert len(waited) == mirrors
    assert sum(waited) <= 18 + 1e-9
    assert max(waited) <= http.ANSWER_SECONDS


@pytest.mark.parametrize(
    ("mirror", "reason"),
    [
        ("http://mirror.invalid/", "host name lookup failed (no network?)"),
        ("mirror.invalid", "expected a URL that begins with https:// or http://"),
        ("ftp://mirror.invalid/", "expected a URL that begins with https:// or http://"),
        (f"http://{'a' * 64}.invalid/", "it is not a valid URL"),
    ],
)
def test_a_mirror_that_cannot_be_asked_is_named(folder, mirror, reason):
    """Unknown hosts, missing or unsupported schemes and invalid names fail immediately, each with its reason."""
    assert reason in refusal(folder, published(mirror))


def test_a_missing_certificate_bundle_is_a_reason_too(folder, tmp_path, monkeypatch):
    """REQUESTS_CA_BUNDLE names a file that is not there: said at once, and not as a traceback of a thread."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    assert "absent.pem" in refusal(folder, published("https://127.0.0.1:9/"))


def test_a_proxy_is_used_and_named(folder, url, unreachable, monkeypatch):
    """HTTP_PROXY leads to the mirror, as everywhere; where it does not work, the error says so."""
    monkeypatch.delenv("NO_PROXY")
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(variable, unreachable)
    assert "blocked by the proxy" in refusal(folder, published("http://mirror.invalid/"))


def test_the_body_of_a_redirect_is_not_read(folder, url, server):
    """The mirror pours into a connection that is closed: what is lost is what the system had buffered."""
    download(published(url("swamp"), content=SMALLEST), folder)
    assert server.hung_up.acquire(timeout=30)
    assert server.poured < 50


def test_an_answer_after_the_patience_is_closed(folder, url, server, monkeypatch):
    """No thread reads it or keeps it open: the mirror notices that the client has left."""
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.5)
    download(published(url("late"), url("good"), content=SMALLEST), folder)
    assert server.hung_up.acquire(timeout=30)
    assert server.poured < 50


def test_a_slow_mirror_is_left_for_another_one(folder, url, server, monkeypatch):
    """The whole file would take longer than LONGEST_SECONDS: the next mirror sends it."""
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.001)
    monkeypatch.setattr(http, "LONGEST_SECONDS", 0)
    whole = {TRAIN_IMAGES: CONTENT[TRAIN_IMAGES]}
    outcomes = download(published(url("slow"), url("good"), content=whole), folder)
    assert [outcome.source for outcome in outcomes] == [url("good")]


@pytest.mark.parametrize("others", [[], ["missing"], ["missing", "page"]])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_slow_mirror_is_better_than_none(folder, url, monkeypatch, others, is_first):
    """Without another mirror that has the file, the slow one sends it, wherever it stands in the list."""
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.001)
    monkeypatch.setattr(http, "LONGEST_SECONDS", 0)
    whole = {TRAIN_IMAGES: CONTENT[TRAIN_IMAGES]}
    mirrors = [url("slow"), *map(url, others)]
    outcomes = download(published(*(mirrors if is_first else mirrors[::-1]), content=whole), folder)
    assert [outcome.source for outcome in outcomes] == [url("slow")]


def test_secrets_of_a_mirror_are_sent_and_not_shown(folder, url, server):
    """User, password and token reach the mirror, before and after a redirect on the same host; no text shows them."""
    secret = url("moved").replace("http://", "http://user:pass-word@").rstrip("/") + "?token=hidden"
    outcomes = download(published(secret, content=SMALLEST), folder)
    assert [outcome.source for outcome in outcomes] == [url("moved").rstrip("/")]
    assert [query for query, _ in server.secrets] == ["token=hidden", ""]
    assert [allowed for _, allowed in server.secrets] == [_basic_auth_str("user", "pass-word")] * 2


@pytest.mark.parametrize("behaviour", [name for name, (_, reason) in FAULTS.items() if reason])
def test_no_error_shows_a_secret(folder, url, behaviour, impatient):
    """Whatever is wrong with the mirror."""
    secret = url(*FAULTS[behaviour][0]).replace("http://", "http://user:pass-word@") + "?token=hidden"
    text = refusal(folder, published(secret, content=SMALLEST))
    assert "pass-word" not in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    "mirror",
    [
        "http://user:pass-word@mirror.invalid/?token=hidden",
        "ftp://user:pass-word@mirror.invalid/?token=hidden",
        "user:pass-word@mirror.invalid",
        "http://user:pass-word/hidden@mirror.invalid/",
        "http://[::1/user:pass-word@/?token=hidden",
        f"http://user:pass-word@{'a' * 64}.invalid/",
        "http://user:pass-word@mirror.invalid:99999/",
    ],
)
def test_no_error_about_a_url_shows_a_secret(folder, mirror, cli):
    """Also not where the URL is not valid, and it is unknown which part of it is the password."""
    text = refusal(folder, published(mirror, content=SMALLEST))
    done = cli("download", "--mirror", mirror, "--debug", "--json")
    for shown in (text, done.out, done.err):
        assert "pass-word" not in shown
        assert "hidden" not in shown


def test_all_mirrors_are_named_with_their_reasons(folder, url, unreachable):
    """Three mirrors that fail differently: three URLs and three reasons, in the order in which they were asked."""
    text = refusal(folder, published(url("missing"), unreachable, url("page"), content=SMALLEST))
    reasons = [
        f"{url('missing')}: HTTP 404 Not Found",
        f"{unreachable}: cannot be reached",
        f"{url('page')}: neither a .gz nor an IDX file",
    ]
    assert f": {'; '.join(reasons)}" in text


def test_other_files_that_failed_are_counted(folder, url):
    """The message is one line for any number of failed files."""
    assert refusal(folder, published(url("missing"))).startswith(f"cannot download {TRAIN_IMAGES} and 3 more: ")


# What works


@pytest.mark.parametrize("behaviour", ["good", "recompressed", "plain", "encoded", "eager", "chunked", "moved"])
def test_a_dataset_is_fetched_and_decompressed(folder, url, behaviour):
    """The folder is made and holds the four published contents, however the mirror transfers them."""
    outcomes = download(published(url(behaviour)), folder)
    assert_complete(folder)
    assert states(outcomes) == dict.fromkeys(FILE_NAMES, "fetched")
    assert {outcome.source for outcome in outcomes} == {url(behaviour)}


@pytest.mark.parametrize("behaviour", ["good", "encoded", "eager"])
def test_the_sum_of_the_gz_is_enough(folder, url, behaviour):
    """If no checksum of the content is published, the checksum of the .gz file verifies it."""
    download(published(url(behaviour), content_sums=False), folder)
    assert_complete(folder)


def test_damage_is_found_without_a_sum_of_the_content(folder, url):
    """Other content of the right length is refused also where only the sum of the .gz is published."""
    assert "(SHA-256)" in refusal(folder, published(url("other"), content_sums=False))
    assert "only the .gz has a published checksum" in refusal(folder, published(url("plain"), content_sums=False))


def test_progress_is_reported_up_to_the_whole(folder, url, monkeypatch):
    """Each file's bytes rise piece by piece to its decompressed size, told once, at its end; one thread tells all."""
    monkeypatch.setattr(http, "PIECE_BYTES", 1000)
    told, threads = [], set()

    def progress(*piece):
        told.append(piece)
        threads.add(threading.current_thread())

    download(published(url("good")), folder, progress=progress)
    assert threads == {threading.current_thread()}
    for name, content in CONTENT.items():
        done = [so_far for file, so_far, size in told if file == name and size == len(content)]
        assert done == sorted(done)
        assert done.count(len(content)) == 1
        assert done[-1] == len(content)
    assert len(told) > 2 * len(FILE_NAMES)


def test_what_fails_is_not_told_as_arrived(folder, url):
    """Content of the right length with the wrong sum is never reported as complete."""
    told = []
    refusal(folder, published(url("other")), progress=lambda *piece: told.append(piece))
    assert (TEST_LABELS, 48, 48) not in told


def test_memory_is_bounded(folder, url, server):
    """A decompression bomb in place of a file of 70 kB takes less than 2 MB of memory."""
    tracemalloc.start()
    try:
        refusal(folder, published(url("bomb")))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000 + 4 * len(MEGABYTE_OF_ZEROS)
    finally:
        tracemalloc.stop()


# Which mirrors, and none


def test_a_given_mirror_is_asked_first(folder, url, server):
    """``mirrors`` come before the dataset's own, with or without a slash at the end."""
    download(published(url("missing")), folder, mirrors=[url("good").rstrip("/")])
    assert_complete(folder)
    assert {behaviour for behaviour, _, _ in server.asked} == {"good"}


@pytest.mark.parametrize("separator", [" ", ",", ", ", "\n"])
def test_mirrors_of_the_environment_come_before_the_datasets_own(folder, url, server, monkeypatch, separator):
    """MNIST_BP_MIRROR names one or several; after --mirror, before those that everybody has."""
    monkeypatch.setenv("MNIST_BP_MIRROR", separator.join([url("forbidden"), url("good"), ""]))
    download(published(url("error")), folder, mirrors=[url("missing")])
    assert_complete(folder)
    of_one = [behaviour for behaviour, name, _ in server.asked if name == f"{TEST_LABELS}.gz"]
    assert of_one == ["missing", "forbidden", "good"]


def test_a_mirror_may_serve_several_datasets(folder, url):
    """``{dataset}`` in its URL is the dataset's name."""
    text = refusal(folder, published(content=SMALLEST), mirrors=["http://mirror.invalid/{dataset}"])
    assert f"cannot download {TEST_LABELS}: http://mirror.invalid/mnist/: " in text


def test_where_a_given_mirror_fails_the_datasets_own_are_asked(folder, url):
    """A ``--mirror`` that does not work is no reason to fail."""
    download(published(url("good")), folder, mirrors=[url("missing")])
    assert_complete(folder)


def test_offline_means_offline(folder, url, server, monkeypatch):
    """MNIST_BP_OFFLINE=1 sends no request, and one line gives the remedy. 0, no, false and "" allow downloads."""
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")
    text = refusal(folder, published(url("good")), mirrors=[url("good")])
    assert "MNIST_BP_OFFLINE disables downloads" in text
    assert text.endswith("mnist-bp download mnist --from FOLDER")
    assert server.asked == []
    for allowed in ("0", "no", "False", ""):
        monkeypatch.setenv("MNIST_BP_OFFLINE", allowed)
        download(published(url("good")), folder, force=True)
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")
    assert states(download(published(), folder)) == dict.fromkeys(FILE_NAMES, "intact")


# From a folder


@pytest.mark.parametrize(
    ("place", "dots", "files"),
    [
        (".", False, CONTENT), (".", True, ZIPPED), ("raw", True, CONTENT), ("mnist", False, ZIPPED),
        ("MNIST/raw", True, CONTENT), ("MNIST/raw", False, ZIPPED),
    ],
)  # fmt: skip
def test_a_folder_is_as_good_as_a_mirror(folder, tmp_path, place, dots, files, monkeypatch):
    """Plain or .gz, at its top or where torchvision keeps them, named with a dash or a dot, and without a network."""
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")
    given = tmp_path / "given"
    (given / place).mkdir(parents=True)
    for name, content in files.items():
        own_name = name.replace("-idx", ".idx") if dots else name
        (given / place / (own_name + ".gz" * (files is ZIPPED))).write_bytes(content)
    outcomes = download(published(), folder, imported=[given])
    assert_complete(folder)
    assert all(outcome.source.startswith(str(given)) for outcome in outcomes)


def test_files_may_be_given_one_by_one(folder, tmp_path):
    """Each is used as the file with its name. The message names the missing ones."""
    given = []
    for name, zipped in ZIPPED.items():
        (tmp_path / f"{name}.gz").write_bytes(zipped)
        given.append(tmp_path / f"{name}.gz")
    with pytest.raises(DataUnavailable, match=f"cannot download {TRAIN_IMAGES}.*no file of that name there"):
        download(published(), folder, imported=given[1:])
    assert data_files(folder).keys() == {*FILE_NAMES} - {TRAIN_IMAGES}
    download(published(), folder, imported=given[:1])
    assert_complete(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "0 of 48 bytes"),
        (CONTENT[TEST_LABELS][:-1], "47 of 48 bytes"),
        (CONTENT[TEST_LABELS] + b"\0", "more than"),
        (bytes(48), "SHA-256"),
        (b"text", "neither a .gz nor an IDX file"),
    ],
)
def test_a_given_file_is_believed_no_more_than_a_mirror(folder, tmp_path, content, reason):
    """Cut off, too long, of other content: refused with its path and the reason."""
    (tmp_path / TEST_LABELS).write_bytes(content)
    text = refusal(folder, published(content=SMALLEST), imported=[tmp_path])
    assert f": {tmp_path / TEST_LABELS}: " in text
    assert reason in text


def test_of_two_given_files_the_intact_one_is_taken(folder, tmp_path):
    """A damaged plain file beside its .gz does no harm."""
    (tmp_path / TEST_LABELS).write_bytes(bytes(48))
    (tmp_path / f"{TEST_LABELS}.gz").write_bytes(ZIPPED[TEST_LABELS])
    download(published(content=SMALLEST), folder, imported=[tmp_path])
    assert data_files(folder) == SMALLEST


# What is in the folder already


def test_intact_files_are_not_fetched_again(folder, url, server, monkeypatch):
    """The second download asks for nothing and hashes nothing."""
    download(published(url("good")), folder)
    server.asked.clear()
    monkeypatch.setattr(cache, "take_file", None)
    assert states(download(published(url("good")), folder)) == dict.fromkeys(FILE_NAMES, "intact")
    assert server.asked == []


def test_intact_files_need_no_mirror_and_no_writing(folder, url, unreachable, monkeypatch):
    """Offline and on a full disk, a complete folder is as good as a download, with or without a manifest."""
    download(published(url("good")), folder)
    monkeypatch.setattr(cache, "write_text", full)
    download(published(unreachable), folder)
    (folder / MANIFEST).unlink()
    download(published(unreachable), folder)
    assert_complete(folder)


def test_compressed_files_are_as_good(folder, unreachable):
    """Four .gz in the folder are the dataset; one that is damaged is not."""
    folder.mkdir(parents=True)
    for name, zipped in ZIPPED.items():
        (folder / f"{name}.gz").write_bytes(zipped)
    for content_sums in (True, False):
        assert states(download(published(unreachable, content_sums=content_sums), folder, verify=True)) == (
            dict.fromkeys(FILE_NAMES, "intact")
        )
    (folder / f"{TEST_LABELS}.gz").write_bytes(ZIPPED[TEST_LABELS][:-1])
    with pytest.raises(DataUnavailable):
        download(published(unreachable), folder)


def test_force_fetches_everything_again(folder, url, server):
    """With ``force``, intact files are asked for like missing ones."""
    download(published(url("good")), folder)
    server.asked.clear()
    download(published(url("good")), folder, force=True)
    assert sorted(name for _, name, _ in server.asked) == sorted(f"{name}.gz" for name in FILE_NAMES)
    assert_complete(folder)


CUT_OFF, CHANGED = CONTENT[TRAIN_LABELS][:-1], b"\1" + CONTENT[TRAIN_LABELS][1:]


@pytest.mark.parametrize(
    ("damaged", "content_sums", "noted"),
    [
        (b"", True, True), (b"text", True, False), (CUT_OFF, False, True),
        (CHANGED, True, True), (CHANGED, True, False), (CHANGED, False, True),
    ],
    ids=["empty", "text", "cut off", "changed", "changed, no note", "changed, no sum"],
)  # fmt: skip
def test_only_the_damaged_file_is_fetched_again(folder, url, server, damaged, content_sums, noted):
    """A file that was emptied, replaced, truncated or changed is quarantined and downloaded; three are kept."""
    dataset = published(url("good"), content_sums=content_sums)
    download(dataset, folder)
    (folder / TRAIN_LABELS).write_bytes(damaged)
    if not noted:
        (folder / MANIFEST).unlink()
    server.asked.clear()
    told = []
    outcomes = download(dataset, folder, notice=told.append)
    assert states(outcomes) == {**dict.fromkeys(FILE_NAMES, "intact"), TRAIN_LABELS: "fetched"}
    assert [name for _, name, _ in server.asked] == [f"{TRAIN_LABELS}.gz"]
    assert data_files(folder) == {**CONTENT, f"{TRAIN_LABELS}.damaged": damaged}
    assert len(told) == 1
    assert told[0].startswith(f"{folder / TRAIN_LABELS}: ")
    assert told[0].endswith(f"quarantined as {TRAIN_LABELS}.damaged")


def test_only_verifying_finds_what_kept_its_size_and_time(folder, url):
    """A byte changed behind the system's back shows when everything is hashed."""
    download(published(url("good")), folder)
    path = folder / TRAIN_LABELS
    before = path.stat()
    path.write_bytes(CHANGED)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert states(download(published(url("good")), folder))[TRAIN_LABELS] == "intact"
    assert states(download(published(url("good")), folder, verify=True))[TRAIN_LABELS] == "fetched"


@pytest.mark.parametrize("mirror", ["missing", "page", "cut", "other"])
def test_a_damaged_file_keeps_its_name_until_it_is_replaced(folder, url, mirror):
    """It may be the only copy. The notice says that it is damaged, and the error that no mirror has it."""
    download(published(url("good")), folder)
    (folder / TEST_LABELS).write_bytes(bytes(48))
    told = []
    with pytest.raises(DataUnavailable, match=f"cannot download {TEST_LABELS}"):
        download(published(url(mirror)), folder, notice=told.append)
    assert (folder / TEST_LABELS).read_bytes() == bytes(48)
    assert [path.name for path in folder.glob("*.damaged")] == []
    assert told == [f"{folder / TEST_LABELS}: checksum mismatch (SHA-256)"] or "IDX" in told[0]


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"a": 1}', "\xff", '{"name": "app", "icons": []}'])
def test_a_manifest_of_another_program_stays(folder, url, unreachable, text):
    """The files are hashed each time instead; with --force, too, and if the manifest is a link."""
    download(published(url("good")), folder)
    (folder / MANIFEST).write_text(text, encoding="latin-1")
    download(published(unreachable), folder)
    download(published(url("good")), folder, force=True)
    assert (folder / MANIFEST).read_text(encoding="latin-1") == text
    (folder / MANIFEST).rename(folder.parent / "theirs")
    (folder / MANIFEST).symlink_to(folder.parent / "theirs")
    download(published(unreachable), folder)
    assert (folder.parent / "theirs").read_text(encoding="latin-1") == text


@pytest.mark.parametrize("name", [TRAIN_LABELS, MANIFEST, f"{TRAIN_LABELS}.damaged"])
def test_links_in_a_cache_are_not_followed(folder, url, name):
    """A link that the user did not make is replaced, and its target stays."""
    theirs = folder.parent / "theirs"
    folder.mkdir(parents=True)
    theirs.write_bytes(b"{}")
    (folder / TRAIN_LABELS).write_bytes(b"damaged")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(theirs)
    download(published(url("good")), folder)
    assert theirs.read_bytes() == b"{}"
    assert (folder / TRAIN_LABELS).read_bytes() == CONTENT[TRAIN_LABELS]


@pytest.mark.parametrize("text", ["", "{}", '{"t10k-labels-idx1-ubyte": {}}', "\0\0"])
def test_a_manifest_that_makes_no_sense_is_none(folder, url, unreachable, text):
    """Whatever is in it, the files are hashed instead, and it is written anew."""
    download(published(url("good")), folder)
    whole = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text, encoding="latin-1")
    download(published(unreachable), folder)
    assert (folder / MANIFEST).read_text() == whole


def test_a_manifest_of_something_else_is_not_believed(folder, url, server):
    """It notes another content, with the right size and time: only the published one will do."""
    download(published(url("good")), folder)
    (folder / TRAIN_LABELS).write_bytes(CHANGED)
    cache.mark_verified(folder / TRAIN_LABELS, "0" * 64)
    assert states(download(published(url("good")), folder))[TRAIN_LABELS] == "fetched"
    assert_intact(folder)


def assert_intact(folder):
    """All four files have the published content."""
    assert {name: (folder / name).read_bytes() for name in FILE_NAMES} == CONTENT


def test_without_a_sum_nor_a_note_nothing_is_called_intact(folder, url, unreachable):
    """A plain file whose publisher tells only the sum of the .gz, found by hand: fetched, and kept if that fails."""
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    files = published(content_sums=False).files
    assert {verify(folder, file).state for file in files} == {"unverified"}
    with pytest.raises(DataUnavailable):
        download(published(unreachable, content_sums=False), folder)
    assert_complete(folder)
    download(published(url("good"), content_sums=False), folder)
    assert {verify(folder, file).state for file in files} == {"intact"}


def test_a_failed_force_keeps_what_was_there(folder, url):
    """If no mirror has a file, the intact one stays."""
    download(published(url("good")), folder)
    with pytest.raises(DataUnavailable):
        download(published(url("cut")), folder, force=True)
    assert_complete(folder)


@pytest.mark.parametrize("content_sums", [True, False])
def test_what_arrived_before_a_failure_is_kept(folder, url, server, content_sums):
    """The mirror has lost its largest file: the three others stay, and the next download asks only for that one."""
    dataset = published(url("good"), content_sums=content_sums)
    server.zipped[TRAIN_IMAGES] = b"lost"
    with pytest.raises(DataUnavailable, match=f"cannot download {TRAIN_IMAGES}: "):
        download(dataset, folder)
    assert data_files(folder).keys() == {*FILE_NAMES} - {TRAIN_IMAGES}
    server.zipped[TRAIN_IMAGES] = ZIPPED[TRAIN_IMAGES]
    server.asked.clear()
    download(dataset, folder)
    assert [name for _, name, _ in server.asked] == [f"{TRAIN_IMAGES}.gz"]
    assert_complete(folder)


# Folders that cannot be written


def full(*args, **kwargs):
    """Find the disk full."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("when", ["write", "fsync", "rename"])
def test_a_full_disk_is_reported(folder, url, monkeypatch, when):
    """Whenever it shows, one line says so, and nothing is left that would take the space."""
    if when == "write":
        monkeypatch.setattr("mnist_bp.data.download.verify.VerifiedFile._take", full)
    elif when == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr("pathlib.Path.replace", full)
    assert refusal(folder, published(url("good"))) == (
        f"cannot write to {folder} (No space left on device): choose another folder with --data-dir"
    )


def test_a_folder_that_cannot_be_made_is_reported(tmp_path, url, server):
    """A file in the folder's place: the error names the folder, the reason and --data-dir, before anything is asked."""
    (tmp_path / "file").write_text("text")
    with pytest.raises(DataUnavailable) as error:
        download(published(url("good")), tmp_path / "file" / "mnist")
    text = str(error.value)
    assert text.startswith(f"cannot write to {tmp_path / 'file' / 'mnist'} (")
    assert text.endswith("): choose another folder with --data-dir")
    assert text.isprintable()
    assert server.asked == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_without_permission_is_reported(url, mode, ordinary_user):
    """A folder that cannot be written, or not even be read: one line."""
    with tempfile.TemporaryDirectory() as temporary:  # not tmp_path: that is in a folder of its owner's alone
        Path(temporary).chmod(0o755)
        folder = Path(temporary) / "mnist"
        folder.mkdir()
        folder.chmod(mode)
        try:
            with ordinary_user(), pytest.raises(DataUnavailable, match=r"cannot write to .*\(Permission denied\)"):
                download(published(url("good")), folder)
        finally:
            folder.chmod(0o755)


def test_a_file_that_cannot_be_written_is_reported(folder, url):
    """A folder in a file's place: the error says that writing failed, and no part of a file is left."""
    (folder / TEST_LABELS).mkdir(parents=True)
    with pytest.raises(DataUnavailable, match="cannot write to"):
        download(published(url("good")), folder)
    assert data_files_but_folders(folder) == {*FILE_NAMES} - {TEST_LABELS}


def data_files_but_folders(folder):
    """The names of the files that lie in the folder beside the manifest."""
    return {path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST}


# Processes that end, and processes that meet


def test_an_interrupt_leaves_nothing(folder, url):
    """Ctrl-C in the midst of a file goes through, and no part of any file is left."""

    def interrupt(name, done, size):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(published(url("good")), folder, progress=interrupt)
    assert not list(folder.glob(".*"))


def test_a_listener_that_goes_away_is_not_taken_for_a_full_disk(folder, url):
    """The output of ``mnist-bp download | head -1`` is closed: that error goes through as it is."""

    def closed(name, done, size):
        raise OutputClosed

    with pytest.raises(OutputClosed):
        download(published(url("good")), folder, progress=closed)


def test_leftovers_of_the_dead_are_removed(folder, url):
    """Parts of files, however new, are gone when a download is complete; old ones also where it fails."""
    folder.mkdir(parents=True)
    parts = [folder / f".{name}.0123456789abcdef.part" for name in ("old", *FILE_NAMES, MANIFEST)]
    for part in parts:
        part.write_bytes(b"a part")
    os.utime(parts[0], (0, 0))
    with pytest.raises(DataUnavailable):
        download(published(url("missing")), folder)
    assert sorted(folder.iterdir()) == sorted(parts[1:])
    download(published(url("good")), folder)
    assert_complete(folder)


def test_a_part_that_is_swept_away_is_no_loss(folder, url):
    """Another process completes the dataset in the midst of ours, and removes our parts: both succeed."""
    done = []

    def overtaken(name, size, whole):
        if not done:
            done.append(download(published(url("good")), folder))

    outcomes = download(published(url("slices")), folder, progress=overtaken)
    assert_complete(folder)
    assert states(outcomes) == dict.fromkeys(FILE_NAMES, "fetched")


def test_two_processes_at_once_both_succeed(folder, url):
    """An empty folder, two processes: each ends well, and the files are intact."""
    processes = [fetching_process(folder, published(url("slices"))) for _ in range(2)]
    for process in processes:
        with process:
            assert process.wait(timeout=30) == 0
    assert_complete(folder)


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
def test_a_killed_download_does_no_harm(folder, url):
    """Killed at 4 moments: nothing corrupt under a final name; the next download completes and cleans up."""
    kill_at_random(folder, published(url("slices")), CONTENT, 4, longest=0.1)
