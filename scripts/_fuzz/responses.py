"""Hostile HTTP responses of a mirror, and a client that reads them from memory instead of a network."""

import gzip
import io
import socket
import threading
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Self
from unittest.mock import patch

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from _fuzz.mutations import LIMITS, mutated_bytes
from mnist_bp.data.download import http, request
from mnist_bp.data.download.connections import Connections
from mnist_bp.data.download.verify import Unusable, VerifiedFile
from mnist_bp.data.registry import PublishedFile
from mnist_bp.errors import DataUnavailable

__all__ = ["hostile_responses", "read_responses"]

NEXT = b"\0next response\0"
"""Separator of the responses in a file."""

CONTENT = b"\0\0\x08\x01" + bytes(range(200))
ZIPPED = gzip.compress(CONTENT, mtime=0)
FILE = PublishedFile("labels", len(CONTENT), sha256(ZIPPED).hexdigest(), sha256(CONTENT).hexdigest())

MOST_OF_A_BODY = 1 << 16
"""Largest number of bytes of a redirect's body that may be read, with its headers, as part of a buffer."""

NUMBERS = [*map(str, LIMITS), "9" * 5000, "-1", "1.5", "1e9", "0x10", "٣", "", " ", "1,1", "+99999999999999999999"]
DATES = [
    "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 +99999999999999999999", "Wed, 21 Oct 2015 07:28:00",
    "21 Oct 99999999999 07:28:00 GMT", "Mon, 31 Feb 2015 99:99:99 GMT", ",,,", "0 Jan 0 0:0:0 -0000", "Oct" * 999,
]  # fmt: skip
PLACES = [
    "/x", "x.gz", "?", "#", "//", "///", "//b.example/x", "http://b.example/x", "https://b.example/x", "ftp://b/",
    "file:///etc/passwd", "javascript:1", "http://[::1", "http://[::1]:99999/", "http://a:b@c:d@e/",
    "http://" + "a" * 70, "http://" + "a." * 5000, "/" + "x" * 9000, "/\xff\xfe", "/\xc3\xa4", "http://\xff/", "http://b.example:0/",
    "\\\\b\\", "http://xn--/", "http://b..example/", "https:b", "http:", "%", "/%zz", "\t/x", "http://b.example:\u0661/",
]  # fmt: skip


def hostile_responses(random: Random) -> bytes:
    """Return up to eight responses, of which the last may send the file."""
    count = random.randint(0, 7)
    responses = [_response(random) for _ in range(count)]
    if random.random() < 0.4:
        responses.append(_message(200, {"Content-Length": str(len(ZIPPED))}, ZIPPED))
    content = NEXT.join(responses)
    return (
        mutated_bytes(content, random) if content and random.random() < 0.3 else content + str(random.random()).encode()
    )


def _response(random: Random) -> bytes:
    status = random.choice([200, 200, 206, 206, 301, 302, 303, 307, 308, 404, 416, 429, 500, 503, 100, 0, 999, 304])
    start = random.choice([0, 10, 20, len(ZIPPED) // 2])
    headers: dict[str, str] = {}
    if status in {301, 302, 303, 307, 308}:
        headers["Location"] = random.choice(PLACES)
    if random.random() < 0.7:
        headers["Content-Range"] = random.choice(
            [f"bytes {start}-{len(ZIPPED) - 1}/*", f"bytes {random.choice(NUMBERS)}-1/*", "bytes", "x" * 70_000]
        )
    if random.random() < 0.5:
        headers["Retry-After"] = random.choice(NUMBERS + DATES)
    if random.random() < 0.5:
        headers["ETag"] = random.choice(['"1"', 'W/"1"', '"' + "x" * 9000, '"\x07"', '"\xe9"', "", '"\t'])
    if random.random() < 0.3:
        headers["Last-Modified"] = random.choice(DATES)
    if random.random() < 0.3:
        headers["Content-Length"] = random.choice([*NUMBERS, str(len(ZIPPED)), "10"])
    if random.random() < 0.2:
        headers["Transfer-Encoding"] = random.choice(["chunked", "gzip, chunked", "x"])
    if random.random() < 0.1:
        headers["Set-Cookie"] = random.choice(["a=b", "=" * 9000, "a=b; expires=" + random.choice(DATES)])
    if random.random() < 0.05:
        headers |= {f"X-{number}": "x" for number in range(200)}
    return _message(status, headers, _body(random, start))


def _body(random: Random, start: int) -> bytes:
    chunk = random.choice(["5", "-5", "f" * 5000, "", "g", "7fffffffffffffff", "1;" + "x" * 70_000]).encode()
    long = [bytes(1_000_000)] if random.random() < 0.1 else []
    return random.choice(
        [
            ZIPPED,
            CONTENT,
            ZIPPED[start:],
            ZIPPED[:start],
            b"",
            b"<html>",
            chunk + b"\r\n" + ZIPPED + b"\r\n0\r\n\r\n",
            *long,
        ]
    )


def _message(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


class _Received(io.RawIOBase):
    """Bytes of a response, which counts those that were read."""

    def __init__(self, content: bytes) -> None:
        self._content, self.position = content, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content[self.position : self.position + len(buffer)]
        buffer[: len(piece)] = piece
        self.position += len(piece)
        return len(piece)


class _Socket:
    """Socket that ignores what is sent, and receives one response."""

    def __init__(self, content: bytes) -> None:
        self._received = _Received(content)
        headers = content.partition(b"\r\n\r\n")[0]
        self._is_redirect, self._headers = headers.startswith(b"HTTP/1.1 30"), len(headers)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(self._received)

    def sendall(self, *_: Any) -> None:
        pass

    def settimeout(self, *_: Any) -> None:
        pass

    def dup(self) -> Self:
        return self

    def close(self) -> None:
        """Close it. Raise AssertionError if the body of a redirect was read."""
        assert not self._is_redirect or self._received.position < self._headers + MOST_OF_A_BODY, "a redirect was read"

    def shutdown(self, *_: Any) -> None:
        self.close()


def _pools(responses: list[bytes], read: list[_Socket]) -> dict[str, type[HTTPConnectionPool]]:
    """Return classes of pools whose connections receive one response each, to any host."""

    class Connection(HTTPConnection):
        is_verified = True

        def __init__(self, host: str, port: int | None = None, **_: Any) -> None:
            super().__init__(host, port)

        @property
        def is_connected(self) -> bool:
            return False

        def _new_conn(self) -> socket.socket:
            if not responses:
                raise ConnectionRefusedError
            read.append(_Socket(responses.pop(0)))
            opened: Any = read[-1]
            return opened

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection  # type: ignore[assignment]

    return {"http": Pool, "https": Pool}


def read_responses(path: Path) -> None:
    """Download a file from a mirror that sends these responses."""
    read: list[_Socket] = []
    with (
        patch("urllib3.poolmanager.pool_classes_by_scheme", _pools(path.read_bytes().split(NEXT), read)),
        patch.object(request, "_start", lambda ask: ask()),  # tracemalloc may crash Python when a thread ends
        patch.object(Connections, "abort_after", lambda *_: None),  # the timer is a thread
        patch("requests.sessions.get_environ_proxies", lambda *_, **__: {}),  # slow, and not the mirror's
        patch.object(http, "PAUSES", (0, 0, 0)),
        patch.object(http, "LONGEST_PAUSE", 0),
    ):
        try:
            found = http.fetch_file("http://u:password@a.example/x.gz?token", VerifiedFile(FILE), threading.Event())
        except Unusable as error:
            if "password" in str(error):
                raise AssertionError("an error shows the password") from error
            raise DataUnavailable(str(error)) from error
        finally:
            for each in read:
                each.close()
    assert found == FILE.sha256
