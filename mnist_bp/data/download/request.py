"""HTTP requests: one response for a URL, within a time limit, after redirects whose bodies are never read."""

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager
from urllib3.exceptions import LocationParseError, NameResolutionError, ProtocolError

from mnist_bp.data.download.connections import Connections
from mnist_bp.data.download.headers import location_of
from mnist_bp.data.download.urls import SCHEMES, redirected_url
from mnist_bp.data.download.verify import NO_NETWORK, BrokeOff, Unusable

__all__ = ["READ_SECONDS", "open_response"]

CONNECT_SECONDS = 4
READ_SECONDS = 5

MOST_REDIRECTS = 5

REDIRECTS = {301, 302, 303, 307, 308}


class _Adapter(HTTPAdapter):
    """Adapter that ignores cookies, with connections that can be shut down.

    Python's parser of cookies prints a traceback about some invalid ones.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if is_new:
            self._watch(manager)
        return manager

    def _watch(self, manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = self._connections.pools(manager.pool_classes_by_scheme)

    def build_response(self, req: requests.PreparedRequest, resp: BaseHTTPResponse) -> requests.Response:
        if received := getattr(resp, "_original_response", None):
            del received.msg["Set-Cookie"]
            del received.msg["Set-Cookie2"]
        return super().build_response(req, resp)


class _Session(requests.Session):
    """Session that leaves redirects alone, and ignores cookies.

    Even with ``allow_redirects=False``, requests reads the body of a redirect, of any size, to find the next request.
    """

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        for scheme in SCHEMES:
            self.mount(f"{scheme}://", _Adapter(connections))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: to requests, no response is a redirect."""


def open_response(url: str, headers: Mapping[str, str], patience: float, connections: Connections) -> requests.Response:
    """Return the response to a GET of ``url``, with its body unread, after at most ``MOST_REDIRECTS`` redirects.

    The request runs in a thread, because the timeouts of requests apply to each address of a host and to each byte, and
    not to the name lookup: behind a firewall that drops packets, they add up to minutes. After the time limit, the
    connections are shut down, which ends the thread.

    Parameters
    ----------
    url
        URL of http or https.
    headers
        Headers of the request.
    patience
        Time limit in seconds for all redirects and the start of the response.
    connections
        Receives the connection, which the caller must keep open while the body is read.

    Raises
    ------
    Unusable
        If there is no response in time, or if a redirect is not valid. No message contains the URL.
    """
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        answer: requests.Response | Exception
        try:
            answer = _follow(url, headers, connections)
        except Exception as error:  # noqa: BLE001 - not only RequestException: a missing certificate bundle, a host name
            answer = error
        answers.put(answer)
        if connections.is_aborted:  # where it was shut down, its headers end
            _close(answer)

    _start(ask)
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        connections.abort()
        while not answers.empty():  # it has arrived just now
            _close(answers.get())
        raise Unusable(f"no answer within {patience:g} s") from None
    if isinstance(answer, Exception):
        raise _failure(answer) from None  # the texts of requests contain the URL, and its password
    return answer


def _start(call: Callable[[], None]) -> None:
    threading.Thread(target=call, daemon=True).start()


def _follow(url: str, headers: Mapping[str, str], connections: Connections) -> requests.Response:
    """Return the first response that is not a redirect."""
    for _ in range(MOST_REDIRECTS + 1):
        if not url.startswith(tuple(f"{scheme}://" for scheme in SCHEMES)):
            raise Unusable("expected a URL that begins with https:// or http://")
        with _Session(connections) as session:
            response = session.get(
                url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False
            )
        if response.status_code not in REDIRECTS:
            return response
        response.close()
        connections.hang_up()
        location = location_of(response.headers)
        if location is None:
            raise Unusable(f"HTTP {response.status_code} without a valid Location")
        try:
            url = redirected_url(url, location)
        except ValueError as error:
            raise Unusable(str(error)) from None
    raise Unusable(f"more than {MOST_REDIRECTS} redirects")


def _close(answer: requests.Response | Exception) -> None:
    if isinstance(answer, requests.Response):
        answer.close()


def _failure(error: Exception) -> Unusable:
    """Return a short description of an error, and whether to retry."""
    if isinstance(error, Unusable):
        return error
    cause = error.args[0] if error.args else None
    if isinstance(error, requests.ConnectionError) and isinstance(cause, ProtocolError):
        return BrokeOff("broke off before the response")
    if isinstance(getattr(cause, "reason", None), NameResolutionError):
        return Unusable(NO_NETWORK)
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return Unusable(str(error))  # the system's: a certificate bundle that is missing
    known = (reason for kind, reason in _REASONS.items() if isinstance(error, kind))
    return Unusable(next(known, f"its response is not valid ({type(error).__name__})"))


_REASONS: dict[type[Exception], str] = {
    requests.Timeout: "timed out",
    requests.exceptions.ProxyError: "blocked by the proxy (set in HTTPS_PROXY or HTTP_PROXY)",
    requests.exceptions.SSLError: "its certificate cannot be verified (REQUESTS_CA_BUNDLE sets another authority)",
    requests.ConnectionError: "cannot be reached",
    requests.exceptions.InvalidURL: "it is not a valid URL",
    LocationParseError: "it is not a valid URL",
    UnicodeError: "it is not a valid URL",
}
"""Descriptions of errors. The first class that matches is used; ConnectionError is a base class of those before it."""
