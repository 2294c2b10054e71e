"""One file from one mirror: asked again where that may help, gone on with where it broke off, given up in good time."""

import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import HTTPError, NameResolutionError, ProtocolError, ReadTimeoutError

from mnist_bp.data.download.verify import PIECE_BYTES, BrokeOff, Unusable, VerifiedFile, WrongContent

__all__ = ["Stopped", "fetch_file"]

CONNECT_SECONDS = 4
READ_SECONDS = 5
ANSWER_SECONDS = 8
"""A mirror that has not begun to answer by then is given up. requests' own limits hold for each address that a name
stands for, and not for looking the name up: behind a firewall that drops packets they add up to minutes."""

PAUSES = (0.3, 1.0, 3.0)
"""Seconds before each further attempt at a mirror that is there, but broke off or has an error of its own."""
LONGEST_PAUSE = 5.0
"""Seconds, however many more a mirror's Retry-After asks for: the next mirror is not as far away."""

SLOW_SECONDS, SLOW_RATE = 10, 1024
"""A mirror that sends fewer bytes a second than that, over so many seconds, is given up."""

HEADERS = {"Accept-Encoding": "identity"}
"""Some servers call a .gz file gzip *encoded*, which must not be undone here; none is to encode it once more."""

RETRIED = {408, 425, 429}
"""The statuses beside 5xx that may be others in a moment."""


class Stopped(Exception):
    """Nobody wants the file any more."""


def fetch_file(url: str, intake: VerifiedFile, stop: threading.Event, *, patience: float = ANSWER_SECONDS) -> str:
    """Let ``intake`` have the file at ``url``.

    Parameters
    ----------
    url
        Where it is.
    intake
        Takes it in.
    stop
        Set by whoever wants it no more.
    patience
        Seconds within which the server has to begin its answer.

    Returns
    -------
    sha256
        Of the content.

    Raises
    ------
    Unusable
        If this mirror does not have it, or cannot send it in one piece or several.
    Stopped
        Soon after ``stop`` was set.
    """
    transfer = _Transfer(url, intake, stop, patience)
    intake.restart()
    for pause in PAUSES:
        try:
            return transfer.attempt()
        except BrokeOff as broken:
            if stop.wait(pause if broken.wait is None else min(broken.wait, LONGEST_PAUSE)):
                raise Stopped from None
        except WrongContent:
            if not transfer.was_resumed:
                raise
            transfer.start_over()  # the pieces may not belong together: now all of it from the start
    return transfer.attempt()


class _Transfer:
    """What has to be known from one attempt to the next."""

    def __init__(self, url: str, intake: VerifiedFile, stop: threading.Event, patience: float) -> None:
        self._url, self._intake, self._stop, self._patience = url, intake, stop, patience
        self._version: str | None = None
        self._ranges = True
        self.was_resumed = False

    def start_over(self) -> None:
        """Forget all pieces, and ask for no more pieces."""
        self._intake.restart()
        self._ranges = self.was_resumed = False

    def attempt(self) -> str:
        """Ask for the file, or for what is missing of it, and take it in."""
        with _answer(self._url, self._headers(), self._patience) as response:
            if response.status_code in {requests.codes.partial_content, requests.codes.range_not_satisfiable}:
                self._resume(response)
            elif response.status_code == requests.codes.ok:
                self._intake.restart()
                self.was_resumed = False
                # A weak ETag (W/…) does not promise the same bytes.
                etag = response.headers.get("ETag", "")
                self._version = etag if etag.startswith('"') else response.headers.get("Last-Modified")
            else:
                raise _refusal(response)
            for piece in _pieces(response, self._stop):
                self._intake.feed(piece)
        return self._intake.finish()

    def _headers(self) -> dict[str, str]:
        if not (self._ranges and self._intake.received):
            return HEADERS
        only_if = {"If-Range": self._version} if self._version else {}
        return {**HEADERS, "Range": f"bytes={self._intake.received}-", **only_if}

    def _resume(self, response: requests.Response) -> None:
        """See that the answer begins where the last one ended."""
        told = response.headers.get("Content-Range", "")
        if response.status_code == requests.codes.partial_content:
            begins = re.match(r"bytes (\d+)-", told)
            if begins and int(begins[1]) == self._intake.received > 0:
                self.was_resumed = True
                return
        self.start_over()
        raise BrokeOff(f"HTTP {response.status_code} with the range {told!r}, which was not asked for")


def _refusal(response: requests.Response) -> Unusable:
    """What an answer without the file means: ask again, or never."""
    reason = f"HTTP {response.status_code} {response.reason}"
    if response.status_code >= 500 or response.status_code in RETRIED:
        return BrokeOff(reason, wait=_retry_after(response.headers))
    return Unusable(reason)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the mirror wants to be asked again, told as a number or as a time; None if it does not say."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _pieces(response: requests.Response, stop: threading.Event) -> Iterator[bytes]:
    """The body, as it was sent and as it arrives."""
    since, count = time.monotonic(), 0
    while True:
        try:
            piece = response.raw.read1(PIECE_BYTES, decode_content=False)
        except ReadTimeoutError as error:
            raise BrokeOff(f"stalled: nothing came for {READ_SECONDS:g} s") from error
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
    """The response to a GET of ``url``, its body still to come, or Unusable within ``patience`` seconds."""
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)))
        # Not all that it raises is a RequestException: a missing certificate bundle, a host name that is too long …
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
    """Say in a few words what requests tells in a chain of nested reprs, and whether to ask again."""
    cause = error.args[0] if error.args else None
    if isinstance(error, requests.ConnectionError) and isinstance(cause, ProtocolError):
        return BrokeOff("broke off before it answered")
    if isinstance(getattr(cause, "reason", None), NameResolutionError):
        return Unusable("its name cannot be looked up (no network?)")
    return Unusable(next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), str(error)))


_REASONS = {
    requests.Timeout: "timed out",
    requests.exceptions.ProxyError: "the proxy on the way there does not let through (HTTPS_PROXY, HTTP_PROXY)",
    requests.exceptions.SSLError: "its certificate cannot be verified (REQUESTS_CA_BUNDLE names another authority's)",
    requests.ConnectionError: "cannot be reached",
}
"""The first kind that fits: each is a kind of the last."""
