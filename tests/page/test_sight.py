"""The page in windows of five sizes, by mouse, touch and keys: what an action changes is in sight."""

from collections.abc import Callable
from typing import Any

import pytest
from page_actions import DOWN, ESCAPE, LEFT, SIZES, Browser, ask, hidden, press

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser


def tap(browser: Browser, selector: str, *, touch: bool) -> None:
    """Click or tap where an element is now: nothing is scrolled for it."""
    x, y = ask(
        browser,
        """(() => { const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2] })()""",
        selector,
    )
    tap_at(browser, x, y, touch=touch)


def tap_at(browser: Browser, x: float, y: float, *, touch: bool) -> None:
    """Click or tap at a point of the window."""
    if touch:
        point: dict[str, Any] = {"touchPoints": [{"x": x, "y": y}]}
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", **point})
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        return
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})


def edge_point(browser: Browser, layer: int) -> tuple[float, float]:
    """A point of the window on the strongest edge into a layer, close to its end."""
    return ask(
        browser,
        """(() => { const edge = diagram.layout.edges[arguments[0]].reduce((a, b) => (b.share > a.share ? b : a));
        const box = byId("diagram").getBoundingClientRect();
        return [box.left + edge.from.x + 0.8 * (edge.to.x - edge.from.x),
            box.top + edge.from.y + 0.8 * (edge.to.y - edge.from.y)] })()""",
        layer,
    )


@pytest.mark.parametrize("size", SIZES)
def test_what_an_action_changes_is_in_sight(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, size: tuple[int, int]
) -> None:
    """No scrolling: not for the target, a step back, the card of an edge, a table, or a step downhill."""
    touch = size[0] < 1000
    show(network, data, size=size, touch=touch)

    assert hidden(browser, "#board", "#prediction", "#cost", "#targets", "#diagram", "#step-back", "#tabs") == []
    assert hidden(browser, "#stage-formula math", "#stage-text", "#sign") == []
    tap(browser, "#targets label:nth-of-type(4)", touch=touch)
    assert ask(browser, "state.target") == 3
    assert hidden(browser, "#cost", ".output-name.wanted") == []

    for stage in range(1, 11):
        tap(browser, "#step-back", touch=touch)
        assert ask(browser, "state.stage") == stage
        assert hidden(browser, "#stage-formula math", "#stage-text", "#diagram", "#progress") == []
    tap(browser, "#sign label:nth-of-type(2)", touch=touch)
    assert ask(browser, "state.sign") == "derivative"
    assert hidden(browser, "#diagram", "#stage-formula math") == []

    x, y = edge_point(browser, 3)
    tap_at(browser, x, y, touch=touch)
    assert ask(browser, "state.chosen.layer") == 3
    card = ask(browser, "byId('card').getBoundingClientRect().toJSON()")
    if touch:
        assert card["bottom"] == pytest.approx(size[1], abs=1)
    else:
        away = [
            max(card[low] - at, at - card[high], 0) for low, high, at in (("left", "right", x), ("top", "bottom", y))
        ]
        assert max(away) < 40  # pixels: it opens at the pointer
    assert hidden(browser, "#card", "[data-what=card-product]", ".chosen", ".chosen-neuron") == []
    tap(browser, "#card .close", touch=touch)
    assert ask(browser, "[state.chosen, byId('card').hidden]") == [None, True]
    assert hidden(browser, "#board", "#prediction", "#diagram") == []

    tap(browser, "[data-panel=numbers]", touch=touch)
    if ask(browser, "state.panel") is None:  # it was open
        tap(browser, "[data-panel=numbers]", touch=touch)
    assert hidden(browser, "#panel-numbers h2", "#panel-numbers table tbody tr", "#diagram", "#stage-text") == []
    tap(browser, "[data-panel=step]", touch=touch)
    tap(browser, "#take-step", touch=touch)
    assert ask(browser, "state.taken") == 1
    assert hidden(browser, "#cost-effect", "#diagram", "path.nudge") == []
    tap(browser, "#step-back", touch=touch)  # step 4 stands where the steps back stood
    assert ask(browser, "state.taken") == 2


@pytest.mark.parametrize("size", SIZES)
def test_the_keys_show_what_they_change(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, size: tuple[int, int]
) -> None:
    """← and → step, arrows walk in the diagram, Escape chooses nothing."""
    show(network, data, size=size)
    browser.execute_script("window.scrollTo(0, 0)")

    browser.execute_script("document.activeElement.blur()")
    send(browser, LEFT)
    assert ask(browser, "state.stage") == 1
    assert hidden(browser, "#stage-text", "#diagram") == []
    press(browser, "#diagram", DOWN + LEFT)
    assert ask(browser, "state.chosen.k") is not None
    assert hidden(browser, "#card", ".chosen") == []
    send(browser, ESCAPE)
    assert ask(browser, "[state.chosen, byId('card').hidden]") == [None, True]


def send(browser: Browser, keys: str) -> None:
    """Press keys, wherever the focus is."""
    from selenium.webdriver import ActionChains

    ActionChains(browser, duration=5).send_keys(*keys).perform()


@pytest.mark.parametrize("size", [(320, 640), *SIZES])
def test_nothing_scrolls_sideways(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, size: tuple[int, int]
) -> None:
    """Neither the page nor anything in it, in any panel."""
    show(network, data, size=size, touch=size[0] < 1000)
    assert ask(browser, "document.querySelector('.toolbar').offsetHeight < 90")  # pixels: two lines of buttons
    browser.execute_script("setChosen({layer: 1, j: 3, k: 345}); set({stage: 9})")

    for panel in (None, "numbers", "chain", "edge", "step", "weights", "training"):
        wide = ask(
            browser,
            """(set({panel: arguments[0]}), renderAtOnce(),
            [...document.querySelectorAll("body, body *")].filter((one) =>
                one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible" &&
                one.clientWidth > 1 && !one.closest("svg, .hidden")).map((one) => one.outerHTML.slice(0, 90)))""",
            panel,
        )
        assert wide == []
        assert ask(browser, "document.documentElement.scrollWidth <= innerWidth")
