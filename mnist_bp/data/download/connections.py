"""Connections of a request, which another thread can shut down while they are read."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from urllib3 import HTTPConnectionPool

__all__ = ["Connections"]


class Connections:
    """Open connections of one request, and of the redirects that it follows.

    The timeout of a socket limits the time between two bytes, not the time of a response: a server that sends a byte
    now and then keeps a thread in a read for ever. When a connection is shut down, its reads end immediately, also in a
    TLS handshake and in the response of a proxy.

    A context manager: at its end, all connections are shut down.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copies: list[socket.socket] = []
        self._timer: threading.Timer | None = None
        self.is_aborted = False

    def watch(self, opened: socket.socket) -> socket.socket:
        """Return a socket that was just opened. It is shut down by a copy, because TLS takes it out of its object.

        Raises
        ------
        ConnectionAbortedError
            If ``abort`` was called before.
        """
        with self._lock:
            if not self.is_aborted:
                self._copies.append(opened.dup())
                return opened
        opened.close()
        raise ConnectionAbortedError

    def hang_up(self) -> None:
        """Shut all connections down."""
        with self._lock:
            for copy in self._copies:
                with suppress(OSError):  # the server has closed it
                    copy.shutdown(socket.SHUT_RDWR)
                copy.close()
            self._copies.clear()

    def abort(self) -> None:
        """Shut all connections down, and let no others be opened."""
        self.is_aborted = True
        self.hang_up()

    def abort_after(self, seconds: float) -> None:
        """Abort after that number of seconds. Another call replaces this one, and the end of the context cancels it."""
        self._cancel()
        self._timer = threading.Timer(seconds, self.abort)
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()
        self.hang_up()

    def pools(self, classes: Mapping[str, type[HTTPConnectionPool]]) -> dict[str, type[HTTPConnectionPool]]:
        """Return subclasses of urllib3's pools, by scheme, whose connections are watched."""
        return {scheme: self._pool(pool) for scheme, pool in classes.items()}

    def _pool(self, pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        opened: Any = pool.ConnectionCls

        def _new_conn(connection: Any) -> socket.socket:
            return self.watch(opened._new_conn(connection))

        def _tunnel(connection: Any) -> None:
            opened._tunnel(connection)
            if self.is_aborted:  # the end of the connection ends the headers of a proxy's consent
                raise ConnectionAbortedError

        connections = type("Connection", (opened,), {"_new_conn": _new_conn, "_tunnel": _tunnel})
        return type(pool.__name__, (pool,), {"ConnectionCls": connections})
