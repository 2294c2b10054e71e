"""From the sources and the content to one HTML file that needs nothing else, and may reach nothing else."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

__all__ = ["SCRIPTS", "assemble"]

SCRIPTS = (
    "js/network.js",
    "js/preprocess.js",
    "js/dom.js",
    "js/board.js",
    "js/diagram.js",
    "js/charts.js",
    "js/cost.js",
    "js/backward.js",
    "js/inspector.js",
    "js/steps.js",
    "js/weights.js",
    "js/main.js",
)
"""In the order in which the browser reads them; what one defines, those after it know."""


def assemble(content: Mapping[str, Any], title: str) -> bytes:
    """The page of ``content`` (see ``content.page_content``), UTF-8.

    Whatever text the content holds stays text: it stands in a block of JSON that no ``</script>`` can end, and the page
    puts it in as text. The policy lets run what has the SHA-256 sum of our sources, and forbids every connection.
    """
    style, scripts = _source("page.css"), [_source(name) for name in SCRIPTS]
    places = {
        "title": html.escape(title),
        "policy": _policy(style, scripts),
        "style": f"<style>{style}</style>",
        "content": _json(content),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda place: places[place[1]], _source("page.html"))
    return page.encode("utf-8", "backslashreplace")  # a folder's name may be any bytes


def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, scripts: list[str]) -> str:
    """A Content-Security-Policy (W3C, level 3): nothing is loaded, and nothing runs but these very texts."""
    allowed = " ".join(map(_sum, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_sum(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _sum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(content: Mapping[str, Any]) -> str:
    """ASCII, without the one character that HTML would look at."""
    return json.dumps(content, allow_nan=False).replace("<", "\\u003c")
