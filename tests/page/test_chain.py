"""The chain 1-1-1-1 in a browser: its numbers equal numpy's; mouse, finger, keys and a link move the nudge and y."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from page_actions import LEFT, RIGHT, SIZES, Browser, ask, assert_page_shows, click, hidden, press, texts, value

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

NUDGE = "[state.chain.layer, state.chain.k, state.chain.by, state.chain.y]"
POINT = """(() => { const all = document.querySelectorAll("#chain-plot .nudge-point");
const middle = (one) => ((box) => [box.left + box.width / 2, box.top + box.height / 2])(one.getBoundingClientRect());
return middle(arguments[0] === "w" ? all[0] : all[all.length - 1]) })()"""
"""Function of "w" or "y": the middle of that handle in the window."""


def walk(network: Network, layer: int, y: float) -> list[float]:
    """Return z and a of each layer from this one to the last, and the cost."""
    A = [np.array([[0.7]])]
    Z = []
    for W, b in zip(network.weights, network.biases, strict=True):
        Z.append(A[-1] @ W.T + b)
        A.append(1 / (1 + np.exp(-Z[-1])))
    pairs = [number for z, a in zip(Z[layer - 1 :], A[layer:], strict=True) for number in (z[0, 0], a[0, 0])]
    return [*pairs, (pairs[-1] - y) ** 2]


def test_numbers_and_ratios_equal_numpys(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """For each of the six parameters, with nudges to both sides; their product is a component of the gradient."""
    show(network, data, fragment="#panel=chain")
    chain = Network([1, 1, 1, 1], rng=np.random.default_rng(0), dtype=np.float64)
    chain.parameters[:] = ask(browser, "[...chain.parameters]")
    cases = [(layer, k, by, y) for layer in (1, 2, 3) for k in (0, None) for by, y in ((1, 1), (-0.37, 0.25))]
    found = ask(browser, "arguments[0].map(([layer, k, by, y]) => follow({layer, k, by, y}))", cases)

    for (layer, k, by, y), told in zip(cases, found, strict=True):
        parameter = chain.biases[layer - 1] if k is None else chain.weights[layer - 1][0]
        w = parameter[0]
        gradient = chain.backpropagate(np.array([[0.7]]), np.array([[y]]))[1]
        before = [w, *walk(chain, layer, y)]
        parameter[0] = w + by
        after = [w + by, *walk(chain, layer, y)]
        parameter[0] = w
        changes = np.subtract(after, before)

        assert [one["before"] for one in told["numbers"]] == pytest.approx(before, rel=1e-9)
        assert [one["after"] for one in told["numbers"]] == pytest.approx(after, rel=1e-9)
        assert [one["measured"] for one in told["links"]] == pytest.approx(changes[1:] / changes[:-1], rel=1e-9)
        component = gradient.biases[layer - 1][0] if k is None else gradient.weights[layer - 1][0, 0]
        assert told["product"] == pytest.approx(component, rel=1e-9)
        assert np.prod([one["derivative"] for one in told["links"]]) == pytest.approx(component, rel=1e-9)


def shows(browser: Browser) -> None:
    """Assert that the table and the changes beside the lines are those of the chain in the state."""
    told = ask(browser, "follow(state.chain)")
    for what in ("derivative", "measured"):
        assert_page_shows(
            browser, f"#chain-table tbody tr:not(.sum) [data-what={what}]", [one[what] for one in told["links"]]
        )
    changes = [one["after"] - one["before"] for one in told["numbers"]]
    assert_page_shows(browser, "#chain-plot .chain-change", changes)
    products = [told["product"], changes[-1] / changes[0]]
    assert_page_shows(browser, "#chain-table .sum td", products)


def drag(browser: Browser, kind: str, start: list[float], by: float) -> None:
    """Drag sideways from a point of the window."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    actions = ActionBuilder(browser, mouse=PointerInput(kind, kind), duration=5)
    pointer = actions.pointer_action
    pointer.move_to_location(round(start[0]), round(start[1])).pointer_down()
    pointer.move_to_location(round(start[0] + by), round(start[1])).pointer_up()
    actions.perform()


def test_keys_and_a_link_move_the_nudge(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """A link names parameter, nudge and y. Arrow keys change each; without a nudge, no ratio is measured."""
    show(network, data, fragment="#chain=b2:-0.03:0.5&panel=chain")
    assert ask(browser, NUDGE) == [2, None, -0.03, 0.5]
    shows(browser)

    press(browser, "#chain-by", 2 * RIGHT)
    press(browser, "#chain-y", LEFT)
    assert ask(browser, NUDGE) == [2, None, -0.01, 0.49]
    shows(browser)

    click(browser, "#chain-more")
    assert set(texts(browser, "#chain-table [data-what=measured]")) == {"–"}
    click(browser, "#chain-tiny")
    press(browser, "#chain-of :checked", 2 * LEFT)
    assert ask(browser, NUDGE) == [1, None, 0.01, 0.49]
    assert len(texts(browser, "#chain-table tbody tr")) == 8  # seven links, and their product
    shows(browser)
    derivative, measured = (value(text) for text in texts(browser, "#chain-table .sum td"))
    assert measured == pytest.approx(derivative, rel=0.01)


@pytest.mark.parametrize(("kind", "size"), [("mouse", (1366, 768)), ("touch", (360, 740))])
def test_mouse_and_finger_drag_the_parameter_and_y(
    browser: Browser,
    errors: None,
    show: Callable[..., None],
    network: Network,
    data: Dataset,
    kind: str,
    size: tuple[int, int],
) -> None:
    """The point follows the pointer, and ends where a line ends."""
    show(network, data, touch=kind == "touch", size=size, fragment="#panel=chain")
    line = "document.querySelector('#chain-plot .chain-line').getBoundingClientRect().width"

    drag(browser, kind, ask(browser, POINT, "w"), -50)
    after: Any = ask(browser, "state.chain")
    assert after["by"] == pytest.approx(1 - 50 * 8 / ask(browser, line), abs=0.08)
    shows(browser)

    drag(browser, kind, ask(browser, POINT, "y"), -60)
    assert ask(browser, "state.chain.y") == pytest.approx(1 - 60 / ask(browser, line), abs=0.02)
    assert ask(browser, "state.chain.by") == after["by"]
    shows(browser)

    drag(browser, kind, ask(browser, POINT, "w"), -150)
    assert ask(browser, "state.chain.by") == -5.8  # w is at −4


def test_the_nudge_and_what_it_moves_are_in_sight(
    browser: Browser, errors: None, show: Callable[..., None], pages: Any, network: Network, data: Dataset
) -> None:
    """Without scrolling, at every size: the choice, the point, and the lines down to the cost."""
    show(network, data, fragment="#panel=chain")

    for size in SIZES:
        pages.resize(size, touch=size[0] < 1000)
        for layer in (3, 1):
            ask(browser, "set({chain: {...state.chain, layer: arguments[0]}})", layer)
            handles = ["#chain-of label", "#chain-plot circle", ".chain-change.minus"]
            assert (size, hidden(browser, *handles)) == (size, [])
            bottom = ask(browser, "[...document.querySelectorAll('.chain-line')].at(-1).getBoundingClientRect().bottom")
            assert bottom < ask(browser, "byId('panels').getBoundingClientRect().bottom")
