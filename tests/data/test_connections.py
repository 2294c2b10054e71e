"""Connections to servers that never finish: a request that was given up leaves neither a thread nor a socket."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest
from mirrors import published

from mnist_bp.data.download import http, request
from mnist_bp.data.download.connections import Connections
from mnist_bp.data.download.verify import Unusable, VerifiedFile

FILE = published().files[0]
BUSY_SECONDS = 30
"""Timeout for what takes milliseconds unless the machine is busy."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TLS_RECORD = b"\x16\x03\x03\x40\x00"
"""Header of a record of 16 KB, as in a handshake."""


class Server:
    """Server that sends, on each connection, the first bytes of ``scripts`` in turn, then others without an end."""

    def __init__(self, listening):
        self._listening, self.scripts, self.hung_up = listening, [], threading.Semaphore(0)
        self.received, self.over = threading.Event(), threading.Event()
        self.place = f"127.0.0.1:{listening.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            connection, _ = self._listening.accept()
            if self.over.is_set():
                connection.close()
                return
            self.threads.append(threading.Thread(target=self._send, args=(connection, *self.scripts.pop(0))))
            self.threads[-1].start()

    def _send(self, connection, first, endless, pause):
        with connection:
            try:
                connection.recv(1 << 16)
                self.received.set()
                connection.settimeout(
                    1
                )  # the system closes a connection in a minute if there was no room for more bytes
                connection.sendall(first)
                for piece in repeat(endless):
                    connection.sendall(piece)
                    if self.over.wait(pause):
                        return
            except OSError:
                self.hung_up.release()

    def end(self):
        """End all threads."""
        self.over.set()
        socket.create_connection(self._listening.getsockname()).close()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def server():
    """Provide a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(listening)
        yield server
        server.end()


@pytest.fixture
def threads(monkeypatch):
    """Return the threads that requests run in. The timeouts of sockets, between two bytes, are long."""
    threads = []

    def start(call):
        threads.append(threading.Thread(target=call, daemon=True))
        threads[-1].start()

    monkeypatch.setattr(request, "_start", start)
    monkeypatch.setattr(request, "CONNECT_SECONDS", 2 * BUSY_SECONDS)
    monkeypatch.setattr(request, "READ_SECONDS", 2 * BUSY_SECONDS)
    return threads


def fetch(url, patience):
    """Request a file, and return the reason why there is none."""
    with pytest.raises(Unusable) as error:
        http.fetch_file(url, VerifiedFile(FILE), threading.Event(), patience=patience)
    return str(error.value)


def assert_over(server, threads, sent):
    """Each of the connections is closed, and each thread of the client ends."""
    for _ in range(sent):
        assert server.hung_up.acquire(timeout=BUSY_SECONDS)
    for thread in threads:
        thread.join(BUSY_SECONDS)
        assert not thread.is_alive()


NEVER_BEGINS = {
    "drips a status line": (b"HTTP/1.1 200 ", b"x", 0.01),
    "drips a header": (b"HTTP/1.1 200 OK\r\nETag: ", b"x", 0.01),
    "says continue": (b"", CONTINUE, 0.01),
    "says continue without a pause": (b"", CONTINUE * 1000, 0),
}


@pytest.mark.parametrize("script", NEVER_BEGINS.values(), ids=NEVER_BEGINS)
def test_a_response_that_never_begins_is_hung_up(server, threads, script):
    """When its time is over, whatever arrives meanwhile."""
    server.scripts = [script]
    assert fetch(f"http://{server.place}/x", 0.3) == "no answer within 0.3 s"
    assert_over(server, threads, 1)


def test_a_redirect_to_one_that_never_begins_is_hung_up(server, threads):
    """Both connections are."""
    redirect = f"HTTP/1.1 302 Found\r\nLocation: http://{server.place}/y\r\n\r\n".encode()
    server.scripts = [(redirect, b"x", 0.01), NEVER_BEGINS["drips a header"]]
    assert fetch(f"http://{server.place}/x", 1) == "no answer within 1 s"
    assert_over(server, threads, 2)


def test_a_handshake_that_never_ends_is_hung_up(server, threads):
    """TLS reads from another socket object than the one that was opened."""
    server.scripts = [(TLS_RECORD, b"x", 0.01)]
    with Connections() as connections, ThreadPoolExecutor(1) as pool:
        response = pool.submit(request.open_response, f"https://{server.place}/x", {}, BUSY_SECONDS, connections)
        assert server.received.wait(BUSY_SECONDS)
        connections.abort()
        with pytest.raises(Unusable):
            response.result()
    assert_over(server, threads, 1)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_never_answers_is_hung_up(server, threads, scheme, monkeypatch):
    """For https, the response to CONNECT comes first."""
    monkeypatch.delenv("NO_PROXY")
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, f"http://{server.place}")
    server.scripts = [NEVER_BEGINS["drips a header"]]
    assert fetch(f"{scheme}://mirror.invalid/x", 0.3) == "no answer within 0.3 s"
    assert_over(server, threads, 1)


@pytest.mark.parametrize(
    "script",
    [(CHUNKED, b"0", 0.01), (CHUNKED + b"1;", b"x", 0.01), (CHUNKED + b"0\r\n", b"a: b\r\n", 0.01)],
    ids=["size", "extension", "trailers"],
)
def test_lines_between_chunks_that_never_end_are_hung_up(server, threads, script, monkeypatch):
    """They are part of a body, and none of its bytes: no measurement of the rate ends such a read."""
    monkeypatch.setattr(http, "SILENT_SECONDS", 0.5)
    server.scripts = [script]
    assert fetch(f"http://{server.place}/x", BUSY_SECONDS) == "too slow (no data within 0.5 s)"
    assert_over(server, threads, 1)


def test_a_connection_opened_after_the_time_limit_is_closed(server):
    """A host name was looked up for longer."""
    server.scripts = [NEVER_BEGINS["says continue"]]
    host, port = server.place.split(":")
    with Connections() as connections:
        connections.abort()
        with pytest.raises(ConnectionAbortedError):
            connections.watch(socket.create_connection((host, int(port))))
    assert_over(server, [], 1)
