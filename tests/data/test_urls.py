"""URLs of mirrors: of a file, of a redirect, and in messages."""

import pytest

from mnist_bp.data.download.urls import file_url, redirected_url, shown_url

HERE = "https://user:word@a.example/mnist/x.gz?token=1"


@pytest.mark.parametrize(
    ("mirror", "whole"),
    [
        ("http://a.example", "http://a.example/x.gz"),
        ("http://a.example/mnist//", "http://a.example/mnist/x.gz"),
        ("http://a.example/mnist?token=1/2", "http://a.example/mnist/x.gz?token=1/2"),
        ("http://u:w@a.example:81/mnist/?a=1&b=2#c", "http://u:w@a.example:81/mnist/x.gz?a=1&b=2"),
    ],
)
def test_the_name_of_a_file_stands_before_the_query(mirror, whole):
    """A token keeps its value, and its slash."""
    assert file_url(mirror, "x.gz") == whole


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.example:81/mnist/", "http://a.example:81/mnist/"),
        (HERE, "https://a.example/mnist/x.gz"),
        ("http://u@v:w@a.example/", "http://a.example/"),
        ("http://a.example/#w", "http://a.example/"),
        ("http://u:w/x@a.example/", "a URL that is not valid"),
        ("u:w@a.example/", "a URL that is not valid"),
        ("http://[::1/@", "a URL that is not valid"),
        ("mirror", "mirror"),
    ],
)
def test_secrets_are_not_shown(url, shown):
    """Neither credentials, query nor fragment."""
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("y.gz", "https://user:word@a.example/mnist/y.gz"),
        ("/y.gz?z", "https://user:word@a.example/y.gz?z"),
        ("https://a.example/y.gz", "https://user:word@a.example/y.gz"),
        ("//b.example/y.gz", "https://b.example/y.gz"),
        ("https://a.example:444/y.gz", "https://a.example:444/y.gz"),
        ("https://other:w@a.example/", "https://other:w@a.example/"),
    ],
)
def test_a_redirect_keeps_a_password_on_its_host(location, target):
    """Another host, or another port, does not get it."""
    assert redirected_url(HERE, location) == target


@pytest.mark.parametrize(
    "location", ["http://a.example/", "ftp://a.example/", "file:///etc/passwd", "data:,x", "https://[/"]
)
def test_a_redirect_is_refused(location):
    """From https to http, to another protocol, or to no host."""
    with pytest.raises(ValueError):  # noqa: PT011 - also of urllib
        redirected_url(HERE, location)


def test_a_redirect_from_http_may_lead_anywhere():
    """To https and to http."""
    assert redirected_url("http://u:w@a.example/x", "https://a.example/x") == "https://a.example/x"
    assert redirected_url("http://u:w@a.example/x", "http://b.example/x") == "http://b.example/x"
