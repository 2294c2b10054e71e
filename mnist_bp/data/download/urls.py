"""URLs of mirrors: the one of a file, the one that a redirect leads to, and the form that may be printed.

A mirror's URL may hold a password (``https://user:password@host/``) or a token (``?token=…``). Messages, JSON records
and logs show neither.
"""

from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

__all__ = ["SCHEMES", "file_url", "redirected_url", "shown_url"]

SCHEMES = ("https", "http")

MARKS = "@?#"
"""Characters that only a URL with credentials, a query or a fragment has."""


def file_url(mirror: str, name: str) -> str:
    """Return the URL of a file in the folder that ``mirror`` names. The file name precedes the query."""
    parts = urlsplit(mirror)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment=""))


def shown_url(url: str) -> str:
    """Return a URL for messages, without credentials, query and fragment."""
    if not any(character in url for character in MARKS):
        return url
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    # In a URL that is not valid, the end of the password is unknown.
    return f"{parts.scheme}://{_host(parts)}{parts.path}" if is_valid else "a URL that is not valid"


def redirected_url(url: str, location: str) -> str:
    """Return the URL that a redirect from ``url`` leads to. Credentials are only sent to the host that they are for.

    Raises
    ------
    ValueError
        If it is not a URL of http or https, or leads from https to http, where others can read and change what is sent.
    """
    target = urljoin(url, location)
    old, new = urlsplit(url), urlsplit(target)
    if new.scheme not in SCHEMES or not new.hostname:
        raise ValueError("redirects to something other than https:// or http://")
    if (old.scheme, new.scheme) == ("https", "http"):
        raise ValueError("redirects from https to http")
    if "@" not in new.netloc and (old.scheme, _host(old)) == (new.scheme, _host(new)):
        new = new._replace(netloc=old.netloc)
    return urlunsplit(new)


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
