"""The main paths through the page in Firefox and WebKit, where they are installed: they do what Chromium does."""

from collections.abc import Iterator
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


@pytest.fixture(scope="module", params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in BROWSERS])
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One of the browsers, with a window as large as a laptop's."""
    with BROWSERS[request.param](tmp_path_factory.mktemp(request.param)) as browser:
        browser.set_window_size(1366, 900)
        yield browser


@pytest.fixture(scope="module")
def page(other: Browser, pages_in: Any, network: Network, data: Dataset, tmp_path_factory: Any) -> Any:
    """Function that opens the page at a fragment of its address."""
    pages = pages_in(other, tmp_path_factory.mktemp("pages"))
    path = pages.page(network, data, "run", (), data.train)

    def open_at(fragment: str) -> None:
        pages.load(path, fragment)
        other.execute_script(PROBLEMS)

    return open_at


def test_draw_step_back_and_follow_a_link(other: Browser, page: Any) -> None:
    """A drawing gets an answer; keys step back; an edge opens its card; the address leads back to what is shown."""
    page("#example=18&target=3&stage=2&edge=3:8,10&eta=0.05&sign=derivative&panel=edge")
    shown = "[state.example, state.target, state.stage, state.chosen, state.rate, state.sign, state.panel]"
    assert ask(other, shown) == [18, 3, 2, {"layer": 3, "j": 8, "k": 10}, 0.05, "derivative", "edge"]

    find(other, "#clear").click()
    draw_a_seven(other)
    assert ask(other, "[state.example, state.target, state.grey.some((grey) => grey > 200)]") == [None, None, True]
    assert texts(other, "#prediction") == [str(ask(other, "network.predict(computed().trace)"))]
    find(other, "#targets label:nth-of-type(8)").click()
    press(other, "#step-back", 3 * LEFT)
    assert ask(other, "[state.target, state.stage]") == [7, 3]

    find(other, "#next").click()
    assert waited_for(other, "location.hash.startsWith(`#example=${state.example}&target=${state.target}&`)")
    assert ask(other, "problems") == []


def test_card_nudge_chain_and_steps_show_numpys_numbers(
    other: Browser, page: Any, network: Network, data: Dataset
) -> None:
    """The edge is clicked; the pointer drags the nudge, and takes a step."""
    page("#example=18&target=3")
    edge = click_an_edge(other)
    told = explained(network, data.test.images[18], 3, Address(**edge))
    assert_page_shows(other, "[data-what=card-product]", [-told.factors.product])
    find(other, "[data-panel=edge]").click()
    assert_page_shows(other, "#nudge-table [data-j=derivative] [data-what=ratio]", [told.factors.product])
    press(other, "#nudge-by", 2 * RIGHT)
    assert_page_shows(other, "#cost", [ask(other, "costWith({network, ...computed()}, state.chosen, 0.02)")])

    find(other, "[data-panel=chain]").click()
    assert waited_for(other, "byId('chain-plot').childElementCount")
    drag(other, "#chain-plot", 0.5)
    assert ask(other, "state.chain.by") < 0
    assert_page_shows(other, "#chain-table .sum [data-what=derivative]", [ask(other, "follow(state.chain).product")])

    find(other, "[data-panel=step]").click()
    before = ask(other, "Array.from(network.parameters)")
    find(other, "#take-step").click()
    gradient = network.astype(np.float64).backpropagate(data.test.inputs(np.float64)[18:19], np.array([3]))[1]
    after = ask(other, "Array.from(network.parameters)")
    assert after == pytest.approx(before - 0.1 * gradient.vector, rel=1e-9, abs=1e-12)
    assert ask(other, "problems") == []


def test_a_network_trains_in_a_worker(other: Browser, page: Any) -> None:
    """From compressed images, under the page's policy."""
    page("#panel=training")
    find(other, "#train-step").click()

    assert waited_for(other, "state.training?.taken === 1")
    assert ask(other, "problems") == []


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
