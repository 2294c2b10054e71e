"""A loopback server that does everything wrong that mirrors do; what it should serve, and a dataset that says so."""

import gzip
import hashlib
import io
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import PublishedDataset, PublishedFile

WEB_PAGE = b"<!DOCTYPE html><title>Please log in</title>" * 20


def idx_bytes(shape):
    """An IDX file of arbitrary bytes from 0 to 9."""
    file = io.BytesIO()
    idx.write(file, np.random.default_rng(0).integers(0, 10, shape).astype(np.uint8))
    return file.getvalue()


CONTENT = dict(zip(FILE_NAMES, map(idx_bytes, [(90, 28, 28), (90,), (40, 28, 28), (40,)]), strict=True))
ZIPPED = {name: gzip.compress(content, mtime=0) for name, content in CONTENT.items()}


def sum_of(content):
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def published(*mirrors, content_sums=True, content=CONTENT, zipped=ZIPPED):
    """The dataset of ``content``, with the sums of the contents or only those of the .gz."""
    files = (
        PublishedFile(name, len(whole), sum_of(zipped[name]), sum_of(whole) if content_sums else None)
        for name, whole in content.items()
    )
    return PublishedDataset("mnist", "its makers", tuple(files), mirrors, "MNIST")


class Mirror(BaseHTTPRequestHandler):
    """Answers a file's URL as the first folder of its path says.

    /cut,good/… first breaks off, then answers as it should: the behaviours in turn, the last one from then on.
    """

    def do_GET(self):
        """Answer, and remember what was asked."""
        self.path, _, query = self.path.partition("?")
        self.server.secrets.append((query, self.headers.get("Authorization")))
        behaviours, name = self.path.strip("/").split("/")
        turn = self.server.turns[self.path]
        self.server.turns[self.path] += 1
        self.server.asked.append((behaviours, name, self.headers.get("Range")))
        behaviours = behaviours.split(",")
        name = name.removesuffix(".gz")
        self.zipped, self.content = self.server.zipped[name], self.server.content[name]
        getattr(self, behaviours[min(turn, len(behaviours) - 1)])()

    def answer(self, body, status=200, length=None, **headers):
        """Send a whole response, or one that promises more than it has."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    # What is well

    def good(self):
        """All of it, whatever range was asked for."""
        self.answer(self.zipped)

    def ranged(self):
        """From the byte on that was asked for, if what came before was of this version."""
        asked, version = self.headers.get("Range"), self.headers.get("If-Range", '"1"')
        if asked is None or version != '"1"':
            self.answer(self.zipped, ETag='"1"')
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        told = f"bytes {start}-{len(self.zipped) - 1}/{len(self.zipped)}"
        self.answer(self.zipped[start:], 206, Content_Range=told, ETag='"1"')

    def slices(self):
        """In slices with time between them, so that something may happen in between."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.zipped)))
        self.end_headers()
        for start in range(0, len(self.zipped), 1 << 15):
            self.wfile.write(self.zipped[start : start + (1 << 15)])
            time.sleep(0.01)

    def slow(self):
        """In eight pieces, with time between them."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.zipped)))
        self.end_headers()
        size = len(self.zipped) // 8 + 1
        for start in range(0, len(self.zipped), size):
            self.wfile.write(self.zipped[start : start + size])
            time.sleep(0.01)

    def recompressed(self):
        """Send the right content in a .gz file with other bytes."""
        self.answer(gzip.compress(self.content, compresslevel=1, mtime=1))

    def cookie(self):
        """The file, and a cookie with a month that no year has."""
        self.answer(self.zipped, Set_Cookie="a=b; expires=Wed, 21 Ocv 2015 07:28:00 GMT")

    def plain(self):
        """The right content, not compressed: a proxy on the way was helpful."""
        self.answer(self.content)

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
        self.answer(b"", 302, Location="/good/" + self.path.split("/")[-1])

    # What answers with something else

    def circular(self):
        """Elsewhere, which is here."""
        self.answer(b"", 302, Location=self.path)

    def swamp(self):
        """Elsewhere, at the good mirror, and a body without an end."""
        self.send_response(302)
        self.send_header("Location", "/good/" + self.path.split("/")[-1])
        self.end_headers()
        self.pour()

    def late(self):
        """Nothing for longer than anybody waits, then a redirect with a body without an end."""
        time.sleep(1)
        self.swamp()

    def pour(self):
        """Send megabytes until the client disconnects, up to 200 MB."""
        try:
            for _ in range(200):
                self.wfile.write(bytes(1 << 20))
                self.server.poured += 1
        finally:
            self.server.hung_up.release()

    def to_ftp(self):
        """Elsewhere, by another protocol."""
        self.answer(b"", 302, Location="ftp://127.0.0.1/")

    def nowhere(self):
        """Elsewhere, without saying where."""
        self.answer(b"", 302)

    def busy_for_ever(self):
        """Too many requests; come back in a time zone that no clock knows."""
        self.answer(WEB_PAGE, 429, Retry_After="Wed, 21 Oct 2015 07:28:00 +99999999999999999999")

    def busy_for_ages(self):
        """Too many requests; come back after more seconds than a float can count."""
        self.answer(WEB_PAGE, 429, Retry_After="9" * 5000)

    def missing(self):
        """Not found."""
        self.answer(WEB_PAGE, 404)

    def forbidden(self):
        """Forbidden, as yann.lecun.com answers."""
        self.answer(WEB_PAGE, 403)

    def busy(self):
        """Too many requests; come back at once."""
        self.answer(WEB_PAGE, 429, Retry_After="0")

    def busy_until(self):
        """Too many requests; come back at a time that has passed."""
        self.answer(WEB_PAGE, 429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")

    def error(self):
        """An error of the server's own."""
        self.answer(WEB_PAGE, 500)

    def unavailable(self):
        """Another one, and an hour to wait."""
        self.answer(WEB_PAGE, 503, Retry_After="3600")

    def page(self):
        """A web page that calls itself a success."""
        self.answer(WEB_PAGE)

    def empty(self):
        """A success of no bytes."""
        self.answer(b"")

    def other(self):
        """Other content of the right length."""
        self.answer(gzip.compress(self.content[:16] + bytes(len(self.content) - 16)))

    def shorter(self):
        """A valid .gz of something else."""
        self.answer(gzip.compress(self.content[:16]))

    def flipped(self):
        """One bit of the compressed file is another."""
        damaged = bytearray(self.zipped)
        damaged[len(damaged) // 2] ^= 1
        self.answer(bytes(damaged))

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
        """Send 10 GB of zeros in 10 MB until the client disconnects."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GZIP_HEADER)
        for _ in range(10_000):
            self.wfile.write(MEGABYTE_OF_ZEROS)

    def windy(self):
        """Send an endless .gz file of empty blocks."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GZIP_HEADER)
        while not self.server.over.is_set():
            self.wfile.write(EMPTY_BLOCKS)

    # What breaks off

    def begin(self, part):
        """Promise all, and send that part of it."""
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(self.zipped)))
        self.end_headers()
        self.wfile.write(self.zipped[: int(len(self.zipped) * part)])

    def cut(self):
        """Half of the body that was promised."""
        self.begin(1 / 2)

    def cut_old(self):
        """20 bytes of a version that will be replaced."""
        self.answer(gzip.compress(bytes(99), mtime=7)[:20], length=99, ETag='"0"')

    def reset(self):
        """Half of the body, then a connection that is not closed but reset."""
        self.begin(1 / 2)
        time.sleep(0.02)  # so that the half gets there first
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def dropped(self):
        """Nothing at all: reset without an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def stalled(self):
        """Half of the body, then nothing, on a line that stays open."""
        self.begin(1 / 2)
        self.server.over.wait(30)

    def dripping(self):
        """One byte at a time, each within the time that is allowed for one."""
        self.begin(0)
        for byte in self.zipped:
            self.wfile.write(bytes([byte]))
            if self.server.over.wait(0.05):
                return

    # What answers a Range wrongly

    def wrong_start(self):
        """The range from 0 on, whichever was asked for."""
        told = f"bytes 0-{len(self.zipped) - 1}/{len(self.zipped)}"
        self.answer(self.zipped, 206, Content_Range=told)

    def wrong_bytes(self):
        """A range that says it is the right one, of other bytes."""
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        told = f"bytes {start}-{len(self.zipped) - 1}/{len(self.zipped)}"
        self.answer(bytes(len(self.zipped) - start), 206, Content_Range=told)

    def endless_range(self):
        """A range that begins at a number of 5,000 digits."""
        self.answer(self.zipped, 206, Content_Range=f"bytes {'9' * 5000}-{'9' * 5000}/*")

    def cut_strange(self):
        """20 bytes of a version whose name no client can send back."""
        self.answer(self.zipped[:20], length=99, ETag='"\x07' + "x" * 9999 + '"')

    def no_range(self):
        """There is no such range."""
        self.answer(b"", 416, Content_Range=f"bytes */{len(self.zipped)}")

    def log_message(self, *args):
        """Say nothing."""


_squeeze = zlib.compressobj(level=9, wbits=-15)
GZIP_HEADER = gzip.compress(b"", mtime=0)[:10]
MEGABYTE_OF_ZEROS = _squeeze.compress(bytes(1 << 20)) + _squeeze.flush(zlib.Z_FULL_FLUSH)
EMPTY_BLOCKS = b"\0\0\0\xff\xff" * 1000


class Server(ThreadingHTTPServer):
    """The server that has all these mirrors."""

    daemon_threads = True

    def __init__(self, content=CONTENT, zipped=ZIPPED):
        self.content, self.zipped = dict(content), dict(zipped)
        self.asked, self.turns, self.over = [], Counter(), threading.Event()
        self.secrets, self.poured, self.hung_up = [], 0, threading.Semaphore(0)
        super().__init__(("127.0.0.1", 0), Mirror)

    def url(self, *behaviours):
        """The URL of a mirror that behaves so, one behaviour after the other."""
        return f"http://127.0.0.1:{self.server_port}/{','.join(behaviours)}/"

    def forget(self):
        """Begin anew: nothing has been asked yet."""
        self.asked.clear()
        self.secrets.clear()
        self.poured, self.hung_up = 0, threading.Semaphore(0)
        self.turns.clear()

    def handle_error(self, *args):
        """A client that has heard enough is no error."""


@contextmanager
def serving(*args):
    """Serve for as long as the block lasts."""
    server = Server(*args)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
