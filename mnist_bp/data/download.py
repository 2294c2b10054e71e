"""Fetch a published dataset: every mirror in turn, the content verified, a file there whole or not at all."""

import hashlib
import os
import queue
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import requests
from urllib3.exceptions import HTTPError

from mnist_bp.data.names import Progress
from mnist_bp.data.published import PublishedDataset, PublishedFile
from mnist_bp.errors import DataUnavailable
from mnist_bp.files import atomic_write

__all__ = ["download", "is_intact"]

CONNECT_SECONDS = 4
READ_SECONDS = 15
ANSWER_SECONDS = 8
"""A mirror that has not begun to answer by then is given up. requests' own limits hold for each address that a name
stands for, and not for looking the name up: behind a firewall that drops packets they add up to minutes."""

HEADERS = {"Accept-Encoding": "identity"}
CHUNK = 1 << 16
GZIP_WBITS = 31


class _Unusable(Exception):
    """One mirror's copy of a file could not be had; the text says why."""


def download(
    dataset: PublishedDataset,
    folder: Path,
    *,
    mirrors: Sequence[str] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> None:
    """Fetch the files of ``dataset`` that are not intact in ``folder``, decompressed.

    Parameters
    ----------
    dataset
        What to fetch.
    folder
        Where to; made if it is missing.
    mirrors
        Base URLs to try before the dataset's own.
    force
        Fetch the intact ones too.
    progress
        Told of every piece.

    Raises
    ------
    DataUnavailable
        If no mirror gave a file, or the folder cannot be written; names the file, the mirrors and the reasons.
    """
    urls = [*(url.rstrip("/") + "/" for url in mirrors), *dataset.mirrors]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(dataset.files, key=lambda file: file.size):
            if force or not is_intact(folder, file):
                good = _fetch(file, folder, urls, progress or _no_progress)
                urls.remove(good)
                urls.insert(0, good)  # a dead mirror costs its wait only once
    except OSError as error:
        reason = error.strerror or error
        raise DataUnavailable(f"cannot write to {folder} ({reason}): choose another folder with --data-dir") from error


def is_intact(folder: Path, file: PublishedFile) -> bool:
    """Whether ``folder`` holds ``file``, decompressed, with the published content.

    Where only the sum of its .gz is published, the size has to do.
    """
    try:
        with (folder / file.name).open("rb") as stream:
            if os.fstat(stream.fileno()).st_size != file.size:
                return False
            return file.sha256 is None or hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except OSError:  # there is none, or none that can be read
        return False


def _no_progress(name: str, done: int, size: int) -> None:
    """Show nothing."""


def _fetch(file: PublishedFile, folder: Path, mirrors: Sequence[str], progress: Progress) -> str:
    """Fetch one file from the first mirror that gives it intact, and say which."""
    reasons = []
    for mirror in mirrors:
        try:
            with atomic_write(folder / file.name) as target:
                _receive(f"{mirror}{file.name}.gz", file, target, progress)
        except _Unusable as reason:
            reasons.append(f"{mirror}: {reason}")
        else:
            return mirror
    raise DataUnavailable(
        f"cannot get {file.name}.gz ({'; '.join(reasons)}); "
        "name another --mirror, or a folder that has the files (--data-dir), or train on --dataset synthetic"
    )


def _receive(url: str, file: PublishedFile, target: BinaryIO, progress: Progress) -> None:
    """Write the decompressed content of ``url`` to ``target`` and compare its sums, or raise _Unusable."""
    content_sum, gzip_sum = hashlib.sha256(), hashlib.sha256()
    decompressor = zlib.decompressobj(wbits=GZIP_WBITS)
    done = 0
    try:
        for chunk in _chunks(url):
            gzip_sum.update(chunk)
            content = decompressor.decompress(chunk, file.size - done + 1)
            content_sum.update(content)
            target.write(content)
            done += len(content)
            if done > file.size or decompressor.unused_data:
                raise _Unusable(f"more than the {file.size:,} bytes of the published file")
            if done < file.size:
                progress(file.name, done, file.size)
    except zlib.error:
        raise _Unusable("its answer is not a .gz file, or a damaged one") from None
    if done < file.size or not decompressor.eof:
        raise _Unusable(f"{done:,} of {file.size:,} bytes, then nothing")
    if content_sum.hexdigest() != file.sha256 and gzip_sum.hexdigest() != file.gzip_sha256:
        raise _Unusable("other content than the published file's (SHA-256)")
    progress(file.name, done, file.size)


def _chunks(url: str) -> Iterator[bytes]:
    """The body of ``url`` as it was sent: some servers call a .gz file gzip *encoded*, which must not be undone here.

    Nor must they encode it once more, hence HEADERS.
    """
    with _answer(url) as response:
        if response.status_code != requests.codes.ok:
            raise _Unusable(f"HTTP {response.status_code} {response.reason}")
        try:
            yield from response.raw.stream(CHUNK, decode_content=False)
        except (HTTPError, OSError) as error:
            raise _Unusable(f"broke off ({type(error).__name__})") from error


def _answer(url: str) -> requests.Response:
    """The response to a GET of ``url``, its body still to come, or _Unusable within ANSWER_SECONDS."""
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(requests.get(url, headers=HEADERS, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)))
        # Not all that it raises is a RequestException: a missing certificate bundle, a host name that is too long …
        except (OSError, ValueError, HTTPError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise _Unusable(f"no answer within {ANSWER_SECONDS} s") from None
    if isinstance(answer, Exception):
        raise _Unusable(_reason(answer)) from answer
    return answer


def _reason(error: Exception) -> str:
    """Say in a few words what requests tells in a chain of nested reprs."""
    if isinstance(error, requests.Timeout):
        return "timed out"
    if "NameResolutionError" in str(error) or "getaddrinfo" in str(error):
        return "its name cannot be looked up (no network?)"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be verified"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return str(error)
