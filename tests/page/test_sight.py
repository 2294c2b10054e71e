"""The page in windows of five sizes, by mouse, touch and keys: what an action changes is in sight."""

from collections.abc import Callable
from typing import Any

import pytest
from page_actions import DOWN, ESCAPE, LEFT, SIZES, Browser, ask, hidden, press, seen

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
    for kind in ("mousePressed", "mouseReleased"):
        click: dict[str, Any] = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", click)


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

    shown = ("#board", "#prediction", "#cost", "#targets", "#diagram", "#step-back", "#tabs", "#sign")
    assert hidden(browser, *shown, "#stage-formula math", "#stage-text") == []
    tap(browser, "#targets label:nth-of-type(4)", touch=touch)
    assert seen(browser, "state.target", "#cost", ".output-name.wanted") == 3

    for stage in range(1, 11):
        tap(browser, "#step-back", touch=touch)
        assert seen(browser, "state.stage", "#stage-formula math", "#stage-text", "#diagram", "#progress") == stage
    tap(browser, "#sign label:nth-of-type(2)", touch=touch)
    assert seen(browser, "state.sign", "#diagram", "#stage-formula math") == "derivative"

    x, y = edge_point(browser, 3)
    tap_at(browser, x, y, touch=touch)
    looked = ("#card", "[data-what=card-product]", ".chosen", ".chosen-neuron")
    layer, card = seen(browser, "[state.chosen.layer, byId('card').getBoundingClientRect().toJSON()]", *looked)
    assert layer == 3
    if touch:
        assert card["bottom"] == pytest.approx(size[1], abs=1)
    else:
        away = [
            max(card[low] - at, at - card[high], 0) for low, high, at in (("left", "right", x), ("top", "bottom", y))
        ]
        assert max(away) < 40  # pixels: it opens at the pointer
    tap(browser, "#card .close", touch=touch)
    closed = "[state.chosen, byId('card').hidden]"
    assert seen(browser, closed, "#board", "#prediction", "#diagram") == [None, True]

    tap(browser, "[data-panel=numbers]", touch=touch)
    if ask(browser, "state.panel") is None:  # it was open
        tap(browser, "[data-panel=numbers]", touch=touch)
    table = ("#panel-numbers h2", "#panel-numbers table tbody tr")
    assert seen(browser, "state.panel", *table, "#diagram", "#stage-text") == "numbers"
    tap(browser, "[data-panel=step]", touch=touch)
    tap(browser, "#take-step", touch=touch)
    assert seen(browser, "state.taken", "#cost-effect", "#diagram", "path.nudge") == 1
    tap(browser, "#step-back", touch=touch)  # step 4 stands where the steps back stood
    assert ask(browser, "state.taken") == 2


def test_the_keys_show_what_they_change(
    browser: Browser, errors: None, show: Callable[..., None], pages: Any, network: Network, data: Dataset
) -> None:
    """← and → step, arrows walk in the diagram, Escape chooses nothing."""
    show(network, data)
    ask(browser, "set({panel: null, hasLegend: false})")  # as on a narrow window
    for size in SIZES:
        pages.resize(size, touch=False)
        ask(browser, "(setChosen(null), set({stage: 0}), scrollTo(0, 0), document.activeElement.blur())")
        send(browser, LEFT)
        assert (size, seen(browser, "state.stage", "#stage-text", "#diagram")) == (size, 1)
        press(browser, "#diagram", DOWN + LEFT)
        assert seen(browser, "state.chosen.k !== null", "#card", ".chosen") is True
        send(browser, ESCAPE)
        assert ask(browser, "[state.chosen, byId('card').hidden]") == [None, True]


def send(browser: Browser, keys: str) -> None:
    """Press keys, wherever the focus is."""
    from selenium.webdriver import ActionChains

    ActionChains(browser, duration=5).send_keys(*keys).perform()


def test_nothing_scrolls_sideways(
    browser: Browser, errors: None, show: Callable[..., None], pages: Any, network: Network, data: Dataset
) -> None:
    """Neither the page nor anything in it, in any panel."""
    show(network, data, fragment="#stage=9&edge=1:3,345")
    for size in ((320, 640), *SIZES):
        pages.resize(size, touch=size[0] < 1000)
        wide = ask(
            browser,
            """[null, "numbers", "chain", "edge", "step", "weights", "training"].flatMap((panel) => {
                set({panel});
                renderAtOnce();
                const all = [...document.querySelectorAll("body, body *")].filter((one) =>
                    one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible" &&
                    one.clientWidth > 1 && !one.closest("svg, .hidden")).map((one) => one.outerHTML.slice(0, 90));
                return document.documentElement.scrollWidth > innerWidth ? [...all, panel] : all;
            })""",
        )
        assert (size, wide) == (size, [])
        assert ask(browser, "document.querySelector('.toolbar').offsetHeight < 90")  # pixels: two lines of buttons
