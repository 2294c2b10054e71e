"""The page for everybody: axe-core's rules, a keyboard, large print, high contrast, and paper."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_actions import Browser, ask, find

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "scripts/page/node_modules/axe-core/axe.min.js"
"""axe-core, as ``scripts/test`` installs it with ESLint and Prettier."""

STATES = [
    "set({panel: null})",
    "set({stage: 1, panel: 'numbers'})",
    "(set({stage: 9, panel: 'edge', hasLegend: true}), setChosen({layer: 2, j: 3, k: 4}))",
    "set({stage: 10, panel: 'step'})",
    "set({panel: 'weights'})",
    "set({panel: 'training', sign: 'derivative'})",
    "set({panel: 'batch'})",
    "(board.clear(), renderAtOnce())",
    "(reset(), showExample(3), set({panel: 'batch', stage: 4}), setChosen({layer: 1, j: 2, k: 300}))",
    "set({panel: 'chain'})",
    "byId('story-start').click()",
    "(byId('story-start').click(), Array.from({length: 6}, () => byId('story-next').click()))",
]
"""Expressions, each of which leads to another state of the page."""


def media(browser: Browser, **features: str) -> None:
    """Emulate media features of the reader, or a medium."""
    medium = features.pop("medium", "")
    listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": listed})


@pytest.fixture
def _usual_media(browser: Browser) -> Any:
    """Leave the browser as it was."""
    yield
    media(browser)


@pytest.mark.usefixtures("_usual_media")
@pytest.mark.parametrize(("size", "scheme"), [((360, 740), "light"), ((1280, 720), "dark")])
def test_axe_finds_no_violation(
    browser: Browser, show: Callable[..., None], network: Network, data: Dataset, size: tuple[int, int], scheme: str
) -> None:
    """Narrow and light in every other state, wide and dark in the rest."""
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install in scripts/page")
    media(browser, prefers_color_scheme=scheme)
    show(network, data, size=size, train=data.train)
    browser.execute_script(AXE.read_text(encoding="utf-8"))

    for state in STATES[scheme == "dark" :: 2]:
        ask(browser, f"({state}, renderAtOnce())")
        violations = browser.execute_async_script(
            """const done = arguments[0];
            axe.run().then(({violations}) => done(violations.map(({id, nodes}) =>
                [id, nodes.map(({target, failureSummary}) => [target, failureSummary])])))"""
        )
        assert (state, violations) == (state, [])


def test_the_focus_ring_of_the_diagram_is_drawn_inside_it(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Nothing cuts it off there."""
    show(network, data)
    find(browser, "#diagram")
    browser.execute_script("byId('step-back').focus()")
    from selenium.webdriver import ActionChains, Keys

    for _ in range(9):
        ActionChains(browser, duration=5).send_keys(Keys.TAB).perform()
        if ask(browser, "document.activeElement.id") == "diagram":
            break
    ring = ask(browser, "((style) => [style.outlineWidth, style.outlineOffset])(getComputedStyle(byId('diagram')))")
    assert ring == ["2px", "-2px"]


def test_lengths_grow_with_the_readers_font(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Text and diagram alike; at twice the size nothing scrolls sideways."""
    show(network, data, size=(1440, 900))
    before = ask(browser, "[byId('step-back').offsetHeight, diagram.layout.neurons[0].r]")
    browser.execute_script("document.documentElement.style.fontSize = '32px'")
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    after = ask(browser, "[byId('step-back').offsetHeight, diagram.layout.neurons[0].r]")

    assert after[0] > 1.8 * before[0]
    assert ask(browser, "document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("_usual_media")
def test_paper_has_no_buttons_and_nothing_that_scrolls(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The page is printed as it is shown, dark on white, and not torn apart. The terms of a formula are text there."""
    show(network, data)
    browser.execute_script("set({stage: 3, panel: 'numbers'})")
    media(browser, medium="print")

    controls = "[...document.querySelectorAll('button:not(.term), input, select')].filter((one) => one.offsetWidth)"
    assert ask(browser, f"{controls}.map((one) => one.outerHTML)") == []
    for selector in (".network", ".drawer", ".panels"):
        scrolled, style = ask(
            browser,
            """((one) => [one.scrollHeight > one.clientHeight + 1 && getComputedStyle(one).overflowY !== "visible",
            getComputedStyle(one).position])(document.querySelector(arguments[0]))""",
            selector,
        )
        assert (selector, scrolled, style) == (selector, False, "static")
    assert ask(browser, "getComputedStyle(document.querySelector('.network')).breakInside") == "avoid"
    assert ask(browser, "getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


@pytest.mark.usefixtures("_usual_media")
def test_in_forced_colours_the_signs_differ_by_more_than_colour(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Dashes and triangles that point up or down; the colours are the reader's."""
    media(browser, forced_colors="active")
    show(network, data)
    browser.execute_script("set({stage: 3})")

    dashes, paper = ask(
        browser,
        """[["plus", "minus"].map((sign) => getComputedStyle(document.querySelector(`.edge.${sign}`)).strokeDasharray),
        getComputedStyle(document.body).backgroundColor]""",
    )
    assert dashes[0] != dashes[1]
    assert paper == "rgb(255, 255, 255)"  # Canvas
