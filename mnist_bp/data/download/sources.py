"""Sources of the files of a published dataset: mirrors, or files of the user in any format."""

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data import idx
from mnist_bp.data.assemble import assemble
from mnist_bp.data.download.urls import file_url, shown_url
from mnist_bp.data.download.verify import PIECE_BYTES, Unusable, VerifiedFile, take_file
from mnist_bp.data.formats import candidates, recognize
from mnist_bp.data.layouts import EXPECTED
from mnist_bp.data.names import OWN
from mnist_bp.data.options import NO_OPTIONS
from mnist_bp.data.registry import PublishedDataset, PublishedFile
from mnist_bp.data.zip_member import Stored
from mnist_bp.environment import is_on
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.shell import program

__all__ = ["Source", "Take", "sources"]

ALL_SILENT_SECONDS = 18
"""Longest total time in seconds for all mirrors to start responding, so that a machine without a network fails soon."""

Take = Callable[[VerifiedFile, threading.Event, bool], str]
Source = tuple[str, Take]
"""Source of a file: its name for messages, and a function that feeds a ``VerifiedFile`` and returns the SHA-256.

The last argument is True if another source can be tried instead of one that is very slow.
"""


def sources(
    dataset: PublishedDataset, mirrors: Sequence[str], imported: Sequence[Path]
) -> Callable[[PublishedFile], list[Source]]:
    """Return a function that lists the sources of a file."""
    if imported:
        return _local_sources(dataset, imported)
    if is_on("MNIST_BP_OFFLINE"):
        reason = f"{dataset.name} is not complete on disk, and MNIST_BP_OFFLINE disables downloads"
        raise DataUnavailable(f"{reason}; to copy it: {program()} download {dataset.name} --from FOLDER", reason)
    from mnist_bp.data.download import http  # here, because requests takes long to import

    urls = _urls(dataset, mirrors)
    patience = min(http.ANSWER_SECONDS, ALL_SILENT_SECONDS / len(urls))

    def of(url: str) -> Take:
        def take(verified: VerifiedFile, stop: threading.Event, may_leave: bool) -> str:  # noqa: FBT001 - see ``Take``
            try:
                whole = file_url(url, f"{verified.file.name}.gz")
            except ValueError:
                raise Unusable("it is not a valid URL") from None
            return http.fetch_file(whole, verified, stop, patience=patience, may_leave=may_leave)

        return take

    return lambda _file: [(shown_url(url), of(url)) for url in urls]


def _local_sources(dataset: PublishedDataset, places: Sequence[Path]) -> Callable[[PublishedFile], list[Source]]:
    found = {
        file.name: [stored for place in places for stored in candidates(place, dataset.name, file.name)]
        for file in dataset.files
    }
    if not any(found.values()) and (converted := _converted(dataset, places)):
        return lambda file: [converted[file.name]]
    if not any(found.values()):
        held = " and ".join(f"{place} holds {recognize(place).holds}" for place in places if place.is_dir())
        raise InputError(f"{held or 'no file has an expected name'}. Expected for {dataset.name}: {EXPECTED}")
    return lambda file: [(str(stored), _local(stored)) for stored in found[file.name]]


def _converted(dataset: PublishedDataset, places: Sequence[Path]) -> Mapping[str, Source]:
    """Return the content of IDX files as sources, from the first place with the dataset in another format."""
    for place in places:
        finding = recognize(place)
        if found := finding.named(dataset.name) or finding.named(OWN):
            held = assemble(found.source, dataset.name, NO_OPTIONS)
            arrays = (held.train.images, held.train.labels, held.test.images, held.test.labels)
            return {
                file.name: (str(place), partial(_take_array, array))
                for file, array in zip(dataset.files, arrays, strict=True)
            }
    return {}


def _take_array(array: NDArray[np.uint8], verified: VerifiedFile, *_: object) -> str:
    verified.feed(idx.header_of(array))
    flat = array.reshape(-1)
    for start in range(0, len(flat), PIECE_BYTES):
        verified.feed(flat[start : start + PIECE_BYTES].tobytes())
    return verified.finish()


def _urls(dataset: PublishedDataset, mirrors: Sequence[str]) -> list[str]:
    """Return the mirrors in the order to try: arguments, environment, defaults."""
    given = [*mirrors, *re.split(r"[\s,]+", os.environ.get("MNIST_BP_MIRROR", ""))]
    own = [_with_slash(url.replace("{dataset}", dataset.name)) for url in given if url]
    return list(dict.fromkeys([*own, *dataset.mirrors]))


def _with_slash(url: str) -> str:
    with suppress(ValueError):  # it is not a valid URL, which the request reports
        return file_url(url, "")
    return url


def _local(file: Stored) -> Take:
    return lambda verified, *_: take_file(file, verified)
