"""Actions on the page in a browser, and what it shows after them."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.explanation.chain_rule import explain
from mnist_bp.explanation.result import Address, Explanation

UP, LEFT, RIGHT, DOWN, BACKSPACE, ESCAPE = "\ue013\ue012\ue014\ue015\ue003\ue00c"
"""Keys, as WebDriver (W3C, 2018) has them."""

SIZES = [(360, 740), (768, 1024), (1280, 720), (1366, 768), (1440, 900)]
"""Phone, tablet, and three laptops."""

IN_SIGHT = """
renderIfChanged();
const hidden = arguments[0].filter((selector) => {
  const found = [...document.querySelectorAll(selector)].filter((one) => one.getClientRects().length);
  if (!found.length) return true;
  const box = found[0].getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const isInWindow = box.left >= -1 && box.right <= innerWidth + 1 && box.top >= -1 && box.bottom <= innerHeight + 1;
  const top = document.elementFromPoint(x, y);
  return !isInWindow || !top || !(found[0].contains(top) || top.contains(found[0]) || top.closest("#diagram"));
});
"""
"""Beginning of a program: ``hidden`` keeps the selectors whose first element leaves the window or is covered."""

CLICK = """
const found = document.querySelector(arguments[0]);
found.scrollIntoView({block: "center"});
const box = found.getBoundingClientRect();
const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
if (!top || !(found.contains(top) || top.contains(found))) throw new Error(`${arguments[0]} is covered`);
found.focus();
found.click();
"""
"""Function of a selector: click its first element."""

Browser = Any
"""A selenium driver; selenium itself is imported only where there is a browser for it."""


def find(browser: Browser, selector: str) -> Any:
    """The element, in sight, with the focus on it and what stands in it selected."""
    return browser.execute_script(
        """const found = document.querySelector(arguments[0]);
        found.scrollIntoView({block: "center"});
        found.focus();
        if (found.select) found.select();
        return found""",
        selector,
    )


def click(browser: Browser, selector: str) -> None:
    """Click an element that is in sight and not covered. A mouse takes five times as long; others click with it."""
    browser.execute_script(CLICK, selector)


def press(browser: Browser, selector: str, keys: str) -> None:
    """Press keys there."""
    from selenium.webdriver import ActionChains

    find(browser, selector)
    ActionChains(browser, duration=5).send_keys(*keys).perform()


def ask(browser: Browser, expression: str, *arguments: Any) -> Any:
    """A value of the page's, when it has shown what was done to it last."""
    return browser.execute_script(f"renderIfChanged(); return {expression}", *arguments)


def hidden(browser: Browser, *selectors: str) -> list[str]:
    """The selectors of what is not in sight."""
    return browser.execute_script(f"{IN_SIGHT} return hidden", selectors)


def seen(browser: Browser, expression: str, *selectors: str) -> Any:
    """A value of the page's, when the elements of these selectors are in sight, and otherwise those that are not."""
    return browser.execute_script(f"{IN_SIGHT} return hidden.length ? {{hidden}} : {expression}", selectors)


def texts(browser: Browser, selector: str) -> list[str]:
    """The text of these elements."""
    return ask(browser, "[...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)


def value(text: str) -> float:
    """The number that a text shows."""
    return float(text.replace("−", "-").lstrip("▲▼ "))


def rounding(text: str) -> float:
    """Half a unit of the last digit that a text shows."""
    mantissa, _, exponent = text.replace("−", "-").lstrip("▲▼ +-").partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def assert_shows(found: list[str], expected: Iterable[float]) -> None:
    """Assert that texts show these numbers, to 1e-5 and to the digits that they have."""
    expected = list(expected)
    assert len(found) == len(expected)
    for text, number in zip(found, expected, strict=True):
        assert abs(value(text) - number) <= rounding(text) * (1 + 1e-9) + 1e-5 * abs(number), (text, number)


def assert_page_shows(browser: Browser, selector: str, expected: Iterable[float]) -> None:
    """Assert that these elements show these numbers."""
    assert_shows(texts(browser, selector), expected)


def open_panel(browser: Browser, name: str | None) -> None:
    """Open a panel of the drawer, or close the drawer."""
    browser.execute_script("set({panel: arguments[0]}); renderAtOnce()", name)


def draw_a_seven(browser: Browser) -> None:
    """Draw with the mouse: a bar, then down."""
    from selenium.webdriver import ActionChains

    board = find(browser, "#board")
    side = board.size["width"]
    strokes = [(side * x / 100, side * y / 100) for x, y in [(-22, -26), (22, -28), (11, -7), (0, 11), (-7, 30)]]
    mouse = ActionChains(browser, duration=5)
    mouse.move_to_element_with_offset(board, *strokes[0]).click_and_hold()
    for x, y in strokes[1:]:
        mouse.move_to_element_with_offset(board, x, y)
    mouse.release().perform()


def explained(network: Network, grey: NDArray[np.uint8], target: int, address: Address | None = None) -> Explanation:
    """Return the explanation of one image."""
    x = grey.reshape(1, -1) / 255
    return explain(network.astype(np.float64), x, np.array([target]), 0, address, learning_rate=1.0)


def content_of(page: Path) -> dict[str, Any]:
    """The content that stands in a page."""
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])
