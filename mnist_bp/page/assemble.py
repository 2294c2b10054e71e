"""Assembly of the page: one HTML file without dependencies or network connections."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from mnist_bp.page.bundle import bundle
from mnist_bp.page.functions import functions_module

__all__ = ["assemble", "fill", "page_modules"]

SOURCES = resources.files(__package__)

CHAIN_ACTIVATION, CHAIN_COST = "sigmoid", "squared-error"
"""Functions of the lesson's network 1-1-1-1, in chain.js."""

STYLE_SPACE = re.compile(r"/\*.*?\*/|^\s+", re.MULTILINE | re.DOTALL)
"""Comments and indentation of the style, which the page does without."""


def assemble(content: Mapping[str, Any], title: str) -> bytes:
    """Return the page with ``content`` (see ``content.page_content``), encoded as UTF-8.

    Raises
    ------
    InputError
        If the network has an activation or a cost without JavaScript.
    """
    return fill(content, title, bundle(page_modules(content), "main"))


def page_modules(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the page's ES modules by name: the files of js/, and ``functions``, generated for this network."""
    files = {file.name.removesuffix(".js"): file.read_text(encoding="utf-8") for file in (SOURCES / "js").iterdir()}
    network = content["network"]
    hidden = [network["activation"]] * (len(network["sizes"]) > 2)
    activations = [*hidden, network["output_activation"], CHAIN_ACTIVATION]
    return {**files, "functions": functions_module(activations, [network["cost"], CHAIN_COST])}


def fill(content: Mapping[str, Any], title: str, script: str) -> bytes:
    """Return page.html with its placeholders filled.

    Text in the content cannot become HTML: it is in a JSON block that contains no ``</script>``, and the page inserts
    it as text. The policy allows only the script and the style with these SHA-256 checksums, and no connections.
    A page that trains has the same modules a second time, as text, of which it makes a worker.
    """
    style = STYLE_SPACE.sub("", _source("page.css"))
    worker = bundle(page_modules(content), "worker") if content["training"] else ""
    places = {
        "title": html.escape(title),
        "policy": _policy(style, script) + "; worker-src blob:" * bool(worker),
        "style": f"<style>{style}</style>",
        "content": _json(content),
        "worker": worker and f'<script type="text/plain" id="worker">{worker}</script>',
        "script": f"<script>{script}</script>",
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda place: places[place[1]], _source("page.html"))
    return page.encode("utf-8", "backslashreplace")  # a folder's name may contain any bytes


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy (W3C, level 3) that allows only these two texts and loads nothing."""
    return (
        f"default-src 'none'; script-src {_sum(script)}; style-src {_sum(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _sum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(content: Mapping[str, Any]) -> str:
    """Return JSON in ASCII, with < escaped because HTML would interpret it."""
    return json.dumps(content, allow_nan=False).replace("<", "\\u003c")
