"""Verified files: only the published content is accepted, in pieces of any size, plain or .gz."""

import gzip
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirrors import CONTENT, ZIPPED, published, sum_of

from mnist_bp.data.download.verify import Unusable, VerifiedFile, take_file
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import PublishedFile

NAME = FILE_NAMES[1]
WHOLE, PACKED = CONTENT[NAME], ZIPPED[NAME]
FILE, FILE_BY_GZIP = (published(content_sums=sums).files[1] for sums in (True, False))

mutations = st.lists(
    st.tuples(st.sampled_from(["change", "insert", "cut"]), st.integers(0, 130), st.binary(min_size=1, max_size=3)),
    max_size=2,
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(mutations, st.lists(st.integers(1, 50), min_size=1), st.booleans(), st.sampled_from([FILE, FILE_BY_GZIP]))
def test_whatever_comes_is_the_published_content_or_unusable(changes, sizes, packed, file):
    """Bytes changed, inserted, cut off, in pieces of any size: never anything else than the content is believed."""
    sent = bytearray(PACKED if packed else WHOLE)
    for change, at, piece in changes:
        if change == "cut":
            del sent[at:]
        else:
            sent[at : at + (len(piece) if change == "change" else 0)] = piece
    target = io.BytesIO()
    intake = VerifiedFile(file, lambda: target)
    try:
        while sent:
            size = sizes[len(sent) % len(sizes)]
            intake.feed(bytes(sent[:size]))
            del sent[:size]
        found = intake.finish()
    except Unusable as reason:
        found, text = None, str(reason)
    if found is None:
        assert text.isprintable()
        assert len(target.getvalue()) <= file.size
        assert changes or not (packed or file is FILE)  # a plain file alone, without a sum of its content
    else:
        assert found == sum_of(WHOLE)
        assert target.getvalue() == WHOLE


@pytest.mark.parametrize("sent", [WHOLE, PACKED], ids=["plain", "gzip"])
def test_a_new_start_forgets_everything(sent):
    """Half of it, a restart, then all of it: as if the half had never been."""
    target = io.BytesIO()
    intake = VerifiedFile(FILE, lambda: target)
    intake.feed(sent[: len(sent) // 2])
    intake.restart()
    intake.feed(sent)
    assert intake.finish() == FILE.sha256
    assert target.getvalue() == WHOLE


def test_a_large_file_takes_little_memory(tmp_path):
    """20 MB of zeros, which a .gz of 20 kB says, are never in memory at once."""
    content = bytes(20_000_000)
    path = tmp_path / "zeros.gz"
    path.write_bytes(gzip.compress(content))
    file = PublishedFile("zeros", len(content), "", sum_of(content))
    tracemalloc.start()
    try:
        assert take_file(path, VerifiedFile(file)) == file.sha256
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_cannot_be_read_is_unusable(tmp_path):
    """Missing, or a folder: the text says so."""
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(Unusable, match="cannot be read"):
            take_file(path, VerifiedFile(FILE))
