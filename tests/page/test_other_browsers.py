"""The main paths through the page in Firefox and WebKit, where they are installed: they do what Chromium does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from other_browsers import BROWSERS
from page_actions import LEFT, RIGHT, Browser, ask, assert_page_shows, draw_a_seven, explained, find, press, texts

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset
from mnist_bp.explanation.result import Address

pytestmark = pytest.mark.browser

PROBLEMS = """window.problems = [];
for (const kind of ["error", "unhandledrejection", "securitypolicyviolation"]) {
    addEventListener(kind, (event) =>
        problems.push(`${kind}: ${event.message ?? event.reason ?? event.violatedDirective}`));
}"""
"""From now on, what goes wrong in the page is kept."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in BROWSERS])
def test_main_paths_show_numpys_numbers(
    name: str, pages_in: Any, network: Network, data: Dataset, tmp_path: Path
) -> None:
    """Drawing, stepping back, links, nudges, steps and training; nothing goes wrong in the page."""
    with BROWSERS[name](tmp_path) as browser:
        browser.set_window_size(1366, 900)
        pages = pages_in(browser, tmp_path)
        path = pages.page(network, data, "run", (), data.train)
        for fragment, follow in (
            ("#example=18&target=3&stage=2&edge=3:8,10&eta=0.05&sign=derivative&panel=edge", draw_and_step_back),
            ("#example=18&target=3", lambda browser: nudge_and_step(browser, network, data)),
            ("#panel=training", train),
        ):
            pages.load(path, fragment)
            browser.execute_script(PROBLEMS)
            follow(browser)
            assert ask(browser, "problems") == []


def draw_and_step_back(browser: Browser) -> None:
    """The link is followed; a drawing gets an answer; keys step back; the address follows a digit."""
    shown = "[state.example, state.target, state.stage, state.chosen, state.rate, state.sign, state.panel]"
    assert ask(browser, shown) == [18, 3, 2, {"layer": 3, "j": 8, "k": 10}, 0.05, "derivative", "edge"]

    find(browser, "#clear").click()
    draw_a_seven(browser)
    assert ask(browser, "[state.example, state.target, state.grey.some((grey) => grey > 200)]") == [None, None, True]
    assert texts(browser, "#prediction") == [str(ask(browser, "network.predict(computed().trace)"))]
    find(browser, "#targets label:nth-of-type(8)").click()
    press(browser, "#step-back", 3 * LEFT)
    assert ask(browser, "[state.target, state.stage]") == [7, 3]

    find(browser, "#next").click()
    assert waited_for(browser, "location.hash.startsWith(`#example=${state.example}&target=${state.target}&`)")


def nudge_and_step(browser: Browser, network: Network, data: Dataset) -> None:
    """The edge is clicked; the pointer drags the nudge of the chain, and takes a step."""
    edge = click_an_edge(browser)
    told = explained(network, data.test.images[18], 3, Address(**edge))
    assert_page_shows(browser, "[data-what=card-product]", [-told.factors.product])
    open_tab(browser, "edge")
    assert_page_shows(browser, "#nudge-table [data-j=derivative] [data-what=ratio]", [told.factors.product])
    press(browser, "#nudge-by", 2 * RIGHT)
    assert_page_shows(browser, "#cost", [ask(browser, "costWith({network, ...computed()}, state.chosen, 0.02)")])

    open_tab(browser, "chain")
    drag(browser, "#chain-plot", 0.5)
    assert ask(browser, "state.chain.by") < 0
    assert_page_shows(
        browser, "#chain-table .sum [data-what=derivative]", [ask(browser, "follow(state.chain).product")]
    )

    open_tab(browser, "step")
    before = ask(browser, "Array.from(network.parameters)")
    find(browser, "#take-step").click()
    gradient = network.astype(np.float64).backpropagate(data.test.inputs(np.float64)[18:19], np.array([3]))[1]
    after = ask(browser, "Array.from(network.parameters)")
    assert after == pytest.approx(before - 0.1 * gradient.vector, rel=1e-9, abs=1e-12)


def train(browser: Browser) -> None:
    """A worker takes a step, from compressed images, under the page's policy."""
    find(browser, "#train-step").click()

    assert waited_for(browser, "state.training?.taken === 1")


def open_tab(browser: Browser, name: str) -> None:
    """Click the tab of a panel, and see that the panel opens."""
    find(browser, f"[data-panel={name}]").click()
    assert ask(browser, "[state.panel, byId('panels').hidden]") == [name, False]


def waited_for(browser: Browser, expression: str) -> bool:
    """Wait up to 20 s until this is true in the page, and return whether it is."""
    return browser.execute_async_script(
        f"""const [done] = arguments, end = performance.now() + 20000;
        (function wait() {{
            const holds = Boolean({expression});
            if (holds || performance.now() > end) done(holds);
            else setTimeout(wait, 20);
        }})()"""
    )


def click_an_edge(browser: Browser) -> dict[str, int]:
    """Click the strongest edge into the last layer, close to its end, and return its address."""
    from selenium.webdriver import ActionChains

    x, y, address = ask(
        browser,
        """(() => { const edge = diagram.layout.edges[network.L].reduce((a, b) => (b.share > a.share ? b : a));
        const box = byId("diagram").getBoundingClientRect(), part = (a, b) => a + 0.8 * (b - a);
        return [part(edge.from.x, edge.to.x) - box.width / 2, part(edge.from.y, edge.to.y) - box.height / 2,
            edge.address] })()""",
    )
    diagram = find(browser, "#diagram")
    ActionChains(browser, duration=5).move_to_element_with_offset(diagram, round(x), round(y)).click().perform()
    assert ask(browser, "state.chosen") == address
    return address


def drag(browser: Browser, selector: str, fraction: float) -> None:
    """Press on the first line of a plot, and drag to this fraction of its width."""
    from selenium.webdriver import ActionChains

    plot = find(browser, selector)
    size = plot.rect
    height = 24 - round(size["height"] / 2)
    actions = ActionChains(browser, duration=5)
    actions.move_to_element_with_offset(plot, round(0.2 * size["width"]), height).click_and_hold()
    actions.move_to_element_with_offset(plot, round((fraction - 0.5) * size["width"]), height).release().perform()
