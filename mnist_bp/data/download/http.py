"""HTTP transfer of one file from one mirror, with retries, resumed downloads and timeouts."""

import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import HTTPError, NameResolutionError, ProtocolError, ReadTimeoutError

from mnist_bp.data.download.verify import NO_NETWORK, PIECE_BYTES, BrokeOff, Unusable, VerifiedFile, WrongContent

__all__ = ["Stopped", "fetch_file"]

CONNECT_SECONDS = 4
READ_SECONDS = 5
ANSWER_SECONDS = 8
"""Timeout in seconds for the start of a response. The timeouts of requests apply to each address of a host and not to
the name lookup: behind a firewall that drops packets, they add up to minutes."""

PAUSES = (0.3, 1.0, 3.0)
"""Pauses in seconds before each retry, for a mirror that broke off or reported a server error."""
LONGEST_PAUSE = 5.0
"""Longest pause in seconds, even if Retry-After is longer: the next mirror may be available sooner."""

SLOW_SECONDS, SLOW_RATE = 10, 1024
"""Number of seconds, and bytes per second over that time, below which a mirror is too slow."""

HEADERS = {"Accept-Encoding": "identity"}
"""Request headers. Servers must not compress a .gz file again. (Some declare a .gz file as gzip *encoded*; it must not
be decoded here.)"""

RETRIED = {408, 425, 429}
"""Status codes other than 5xx that may be temporary."""


class Stopped(Exception):
    """Cancellation of a download by its caller."""


def fetch_file(url: str, verified: VerifiedFile, stop: threading.Event, *, patience: float = ANSWER_SECONDS) -> str:
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

    Returns
    -------
    sha256
        SHA-256 checksum of the content.

    Raises
    ------
    Unusable
        If this mirror does not have the file, or cannot send it completely.
    Stopped
        If ``stop`` was set.
    """
    transfer = _Transfer(url, verified, stop, patience)
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

    def __init__(self, url: str, verified: VerifiedFile, stop: threading.Event, patience: float) -> None:
        self._url, self._verified, self._stop, self._patience = url, verified, stop, patience
        self._version: str | None = None
        self._ranges = True
        self.was_resumed = False

    def start_over(self) -> None:
        """Discard all pieces, and request the whole file from now on."""
        self._verified.restart()
        self._ranges = self.was_resumed = False

    def attempt(self) -> str:
        """Request the file, or the missing part of it, and read the response."""
        with _answer(self._url, self._headers(), self._patience) as response:
            if response.status_code in {requests.codes.partial_content, requests.codes.range_not_satisfiable}:
                self._resume(response)
            elif response.status_code == requests.codes.ok:
                self._verified.restart()
                self.was_resumed = False
                # A weak ETag (W/…) does not guarantee identical bytes.
                etag = response.headers.get("ETag", "")
                self._version = etag if etag.startswith('"') else response.headers.get("Last-Modified")
            else:
                raise _refusal(response)
            for piece in _pieces(response, self._stop):
                self._verified.feed(piece)
        return self._verified.finish()

    def _headers(self) -> dict[str, str]:
        if not (self._ranges and self._verified.received):
            return HEADERS
        only_if = {"If-Range": self._version} if self._version else {}
        return {**HEADERS, "Range": f"bytes={self._verified.received}-", **only_if}

    def _resume(self, response: requests.Response) -> None:
        """Check that the response begins where the last one ended."""
        header = response.headers.get("Content-Range", "")
        if response.status_code == requests.codes.partial_content:
            begins = re.match(r"bytes (\d+)-", header)
            if begins and int(begins[1]) == self._verified.received > 0:
                self.was_resumed = True
                return
        self.start_over()
        raise BrokeOff(f"HTTP {response.status_code} with the range {header!r}, which was not requested")


def _refusal(response: requests.Response) -> Unusable:
    """Return the error for a response without the file, which says whether to retry."""
    reason = f"HTTP {response.status_code} {response.reason}"
    if response.status_code >= 500 or response.status_code in RETRIED:
        return BrokeOff(reason, wait=_retry_after(response.headers))
    return Unusable(reason)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until Retry-After, which is a number or a time. None if it is missing or invalid."""
    header = headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _pieces(response: requests.Response, stop: threading.Event) -> Iterator[bytes]:
    """Yield the undecoded body as it arrives."""
    since, count = time.monotonic(), 0
    while True:
        try:
            piece = response.raw.read1(PIECE_BYTES, decode_content=False)
        except ReadTimeoutError as error:
            raise BrokeOff(f"stalled: no data for {READ_SECONDS:g} s") from error
        except (HTTPError, OSError) as error:
            raise BrokeOff(f"broke off ({type(error).__name__})") from error
        if stop.is_set():
            raise Stopped
        if not piece:
            return
        yield piece
        count += len(piece)
        seconds = time.monotonic() - since
        if seconds >= SLOW_SECONDS:
            if count < SLOW_RATE * seconds:
                raise Unusable(f"too slow ({count:,} bytes in {seconds:.0f} s)")
            since, count = time.monotonic(), 0


def _answer(url: str, headers: Mapping[str, str], patience: float) -> requests.Response:
    """Return the response to a GET of ``url``, with its body unread. Raise Unusable after ``patience`` seconds."""
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)))
        # Not every error is a RequestException: a missing certificate bundle or a long host name raises others.
        except (OSError, ValueError, HTTPError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        raise Unusable(f"no answer within {patience:g} s") from None
    if isinstance(answer, Exception):
        raise _failure(answer) from answer
    return answer


def _failure(error: Exception) -> Unusable:
    """Return a short description of an error of requests, which nests several reprs, and whether to retry."""
    cause = error.args[0] if error.args else None
    if isinstance(error, requests.ConnectionError) and isinstance(cause, ProtocolError):
        return BrokeOff("broke off before the response")
    if isinstance(getattr(cause, "reason", None), NameResolutionError):
        return Unusable(NO_NETWORK)
    return Unusable(next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), str(error)))


_REASONS = {
    requests.Timeout: "timed out",
    requests.exceptions.ProxyError: "blocked by the proxy (set in HTTPS_PROXY or HTTP_PROXY)",
    requests.exceptions.SSLError: "its certificate cannot be verified (REQUESTS_CA_BUNDLE sets another authority)",
    requests.ConnectionError: "cannot be reached",
}
"""Descriptions of errors. The first class that matches is used; the last one is a base class of the others."""
