"""Headers of HTTP responses. A mirror may send anything: what is too long or not valid counts as missing."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["first_byte", "location_of", "retry_after", "status_line", "version_of"]

LONGEST = 200
"""Largest number of characters of a header that is used."""

LONGEST_LOCATION = 4096
"""Largest number of characters of a redirect's target. Signed URLs are long."""

LONGEST_REASON = 60

RANGE = re.compile(r"bytes ([0-9]{1,15})-")


def first_byte(headers: Mapping[str, str]) -> int | None:
    """Return the first byte of the range in Content-Range, from 0. None if it is missing or not valid."""
    found = RANGE.match(_value(headers, "Content-Range"))
    return int(found[1]) if found else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until Retry-After, which is a number or a time. None if it is missing or not valid."""
    value = _value(headers, "Retry-After")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    # TypeError: a time without a zone. The exceptions of email for invalid dates are undocumented.
    except Exception:  # noqa: BLE001
        return None


def version_of(headers: Mapping[str, str]) -> str | None:
    """Return the value for If-Range: a strong ETag, else Last-Modified. None if there is none.

    A weak ETag (W/…) does not guarantee identical bytes.
    """
    etag = _value(headers, "ETag")
    return etag if etag.startswith('"') else _value(headers, "Last-Modified") or None


def location_of(headers: Mapping[str, str]) -> str | None:
    """Return the target of a redirect. None if it is missing or not valid."""
    value = _value(headers, "Location", LONGEST_LOCATION, only_ascii=False)
    try:
        return value.encode("latin-1").decode() or None  # http.client reads bytes as Latin-1; URLs are UTF-8
    except UnicodeError:
        return None


def status_line(status: int, reason: str | None) -> str:
    """Return a response's status for messages."""
    return " ".join(["HTTP", str(status), *(reason or "")[:LONGEST_REASON].split()])


def _value(headers: Mapping[str, str], name: str, longest: int = LONGEST, *, only_ascii: bool = True) -> str:
    """Return a header, or "" if it is missing, too long, or has characters that it must not have."""
    value = headers.get(name, "").strip()
    is_plain = value.isprintable() and (value.isascii() or not only_ascii)
    return value if len(value) <= longest and is_plain else ""
