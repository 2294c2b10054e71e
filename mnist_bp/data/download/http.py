"""HTTP transfer of one file from one mirror, with retries, resumed downloads and timeouts."""

import threading
import time
from collections.abc import Iterator

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from mnist_bp.data.download import request
from mnist_bp.data.download.connections import Connections
from mnist_bp.data.download.headers import first_byte, retry_after, status_line, version_of
from mnist_bp.data.download.verify import PIECE_BYTES, BrokeOff, TooSlow, Unusable, VerifiedFile, WrongContent

__all__ = ["Stopped", "fetch_file"]

ANSWER_SECONDS = 8
"""Timeout in seconds for the start of a response, after all redirects."""

PAUSES = (0.3, 1.0, 3.0)
"""Pauses in seconds before each retry, for a mirror that broke off or reported a server error."""
LONGEST_PAUSE = 5.0
"""Longest pause in seconds, even if Retry-After is longer: the next mirror may be available sooner."""

SLOW_SECONDS, SLOW_RATE = 10, 1024
"""Number of seconds, and bytes per second over that time, below which a mirror is too slow."""

SILENT_SECONDS = 20
"""Longest time in seconds from one measurement of the rate to the next. It is longer than ``SLOW_SECONDS``."""

LONGEST_SECONDS = 600
"""Longest time in seconds that the rest of a file may take while another mirror can be tried."""

HEADERS = {"Accept-Encoding": "identity"}
"""Request headers. Servers must not compress a .gz file again. (Some declare a .gz file as gzip *encoded*; it must not
be decoded here.)"""

RETRIED = {408, 425, 429}
"""Status codes other than 5xx that may be temporary."""


class Stopped(Exception):
    """Cancellation of a download by its caller."""


def fetch_file(
    url: str,
    verified: VerifiedFile,
    stop: threading.Event,
    *,
    patience: float = ANSWER_SECONDS,
    may_leave: bool = False,
) -> str:
    """Download the file at ``url`` into ``verified``.

    Parameters
    ----------
    url
        URL of the file.
    verified
        Verified file that receives the bytes.
    stop
        Event that cancels the download.
    patience
        Timeout in seconds for the start of the response.
    may_leave
        True if another mirror can be tried instead of one that would take longer than ``LONGEST_SECONDS``.

    Returns
    -------
    sha256
        SHA-256 checksum of the content.

    Raises
    ------
    Unusable
        If this mirror does not have the file, or cannot send it completely; ``TooSlow`` if it could be sent, slowly.
    Stopped
        If ``stop`` was set.
    """
    transfer = _Transfer(url, verified, stop, patience, may_leave=may_leave)
    verified.restart()
    for pause in PAUSES:
        try:
            return transfer.attempt()
        except BrokeOff as broken:
            if stop.wait(pause if broken.wait is None else min(broken.wait, LONGEST_PAUSE)):
                raise Stopped from None
        except WrongContent:
            if not transfer.was_resumed:
                raise
            transfer.start_over()  # the pieces may be of different versions: download all of it again
    return transfer.attempt()


class _Transfer:
    """State that is kept from one attempt to the next."""

    def __init__(
        self, url: str, verified: VerifiedFile, stop: threading.Event, patience: float, *, may_leave: bool
    ) -> None:
        self._url, self._verified, self._stop, self._patience = url, verified, stop, patience
        self._may_leave = may_leave
        self._version: str | None = None
        self._ranges = True
        self.was_resumed = False

    def start_over(self) -> None:
        """Discard all pieces, and request the whole file from now on."""
        self._verified.restart()
        self._ranges = self.was_resumed = False

    def attempt(self) -> str:
        """Request the file, or the missing part of it, and read the response."""
        with (
            Connections() as connections,
            request.open_response(self._url, self._headers(), self._patience, connections) as response,
        ):
            if response.status_code in {requests.codes.partial_content, requests.codes.range_not_satisfiable}:
                self._resume(response)
            elif response.status_code == requests.codes.ok:
                self._verified.restart()
                self.was_resumed = False
                self._version = version_of(response.headers)
            else:
                raise _refusal(response)
            pace = _Pace(self._verified, connections, may_leave=self._may_leave)
            for piece in _pieces(response, connections, self._stop):
                self._verified.feed(piece)
                pace.check()
        return self._verified.finish()

    def _headers(self) -> dict[str, str]:
        if not (self._ranges and self._verified.received):
            return HEADERS
        only_if = {"If-Range": self._version} if self._version else {}
        return {**HEADERS, "Range": f"bytes={self._verified.received}-", **only_if}

    def _resume(self, response: requests.Response) -> None:
        """Check that the response begins where the last one ended."""
        is_partial = response.status_code == requests.codes.partial_content
        if is_partial and first_byte(response.headers) == self._verified.received > 0:
            self.was_resumed = True
            return
        self.start_over()
        raise BrokeOff(f"HTTP {response.status_code} with a range which was not requested")


def _refusal(response: requests.Response) -> Unusable:
    """Return the error for a response without the file, which says whether to retry."""
    reason = status_line(response.status_code, response.reason)
    if response.status_code >= 500 or response.status_code in RETRIED:
        return BrokeOff(reason, wait=retry_after(response.headers))
    return Unusable(reason)


def _pieces(response: requests.Response, connections: Connections, stop: threading.Event) -> Iterator[bytes]:
    """Yield the undecoded body as it arrives."""
    while True:
        try:
            piece = response.raw.read1(PIECE_BYTES, decode_content=False)
        except ReadTimeoutError as error:
            raise BrokeOff(f"stalled: no data for {request.READ_SECONDS:g} s") from error
        except (HTTPError, OSError, ValueError) as error:  # ValueError: a chunk without a valid size
            _raise_if_aborted(connections)
            raise BrokeOff(f"broke off ({type(error).__name__})") from error
        _raise_if_aborted(connections)
        if stop.is_set():
            raise Stopped
        if not piece:
            return
        yield piece


def _raise_if_aborted(connections: Connections) -> None:
    if connections.is_aborted:
        raise Unusable(f"too slow (no data within {SILENT_SECONDS:g} s)")


class _Pace:
    """Rate of a transfer, measured over ``SLOW_SECONDS`` at a time.

    Parameters
    ----------
    verified
        File that receives the bytes.
    connections
        Connections that are shut down if no piece arrives. The lines between the chunks of a body are none: an endless
        one, sent a byte at a time, ends no read.
    may_leave
        True if another mirror can be tried instead.
    """

    def __init__(self, verified: VerifiedFile, connections: Connections, *, may_leave: bool) -> None:
        self._verified, self._connections, self._may_leave = verified, connections, may_leave
        self._begin()

    def _begin(self) -> None:
        self._connections.abort_after(SILENT_SECONDS)
        self._since, self._received, self._done = time.monotonic(), self._verified.received, self._verified.done

    def check(self) -> None:
        """Raise Unusable if the rate is too low."""
        file, seconds = self._verified, time.monotonic() - self._since
        if seconds < SLOW_SECONDS:
            return
        count, done = file.received - self._received, file.done - self._done
        if count < SLOW_RATE * seconds:
            raise Unusable(f"too slow ({count:,} bytes in {seconds:.0f} s)")
        if self._may_leave and (file.file.size - file.done) * seconds > LONGEST_SECONDS * done:
            raise TooSlow(f"too slow ({count / seconds:,.0f} bytes per second)")
        self._begin()
