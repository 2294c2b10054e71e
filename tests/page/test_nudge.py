"""The nudge in a browser: the curve, the ratio and the tangent equal numpy's; mouse, finger and keys move the point."""

from collections.abc import Callable

import numpy as np
import pytest
from page_actions import RIGHT, Browser, ask, assert_page_shows, click, explained, find, open_panel, press, texts, value

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset
from mnist_bp.explanation.result import Address

pytestmark = pytest.mark.browser


def test_the_cost_as_a_function_of_a_parameter_equals_numpys(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """At 121 points, with the tangent's slope; the network keeps its parameters."""
    show(network, data)
    for address in (Address(3, 6, 2), Address(2, 5, None), Address(1, 4, 350)):
        is_nudge_of(browser, network, data, address)


def is_nudge_of(browser: Browser, network: Network, data: Dataset, address: Address) -> None:
    """Assert that curve, ratio and tangent of a parameter equal numpy's."""
    layer, j, k = address
    points, reach, before = browser.execute_script(
        """setChosen({layer: arguments[0], j: arguments[1], k: arguments[2]});
        set({panel: "edge"});
        renderAtOnce();
        const {points, reach} = costCurve({network, ...computed()}, state.chosen);
        return [points.map(({dw, cost}) => [dw, cost]), reach, Array.from(network.parameters)]""",
        layer,
        j,
        k,
    )
    example, target = ask(browser, "[state.example, state.target]")
    exact = network.astype(np.float64)
    x = data.test.inputs(np.float64)[example : example + 1]
    parameter = exact.biases[layer - 1][j : j + 1] if k is None else exact.weights[layer - 1][j, k : k + 1]
    w = parameter[0]

    def cost(dw: float) -> float:
        parameter[0] = w + dw
        return exact.backpropagate(x, np.array([target]))[0]

    assert len(points) == 121
    assert points[60][0] == 0
    assert points[-1][0] == reach == -points[0][0]
    assert [C for _, C in points] == pytest.approx([cost(dw) for dw, _ in points], rel=1e-12)
    assert np.array_equal(np.array(before, np.float32), network.parameters)
    told = explained(network, data.test.images[example], target, address)
    assert_page_shows(browser, "#nudge-table [data-j=derivative] [data-what=ratio]", [told.factors.product])
    tiny = (cost(0.01) - cost(0)) / 0.01
    assert value(texts(browser, "#nudge-table [data-j=tiny] [data-what=ratio]")[0]) == pytest.approx(tiny, rel=1e-3)


def test_keys_move_the_point_and_the_outputs_with_it(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The cost beside the prediction is that with the nudge; put back, or on another digit, there is none."""
    show(network, data)
    open_panel(browser, "edge")
    click(browser, "#nudge-choose")
    cost = ask(browser, "costWith({network, ...computed()}, state.chosen, 0)")

    press(browser, "#nudge-by", 3 * RIGHT)

    nudged = ask(browser, "costWith({network, ...computed()}, state.chosen, 0.03)")
    assert nudged != cost
    assert texts(browser, "#nudge-table [data-j=own] [data-what=dw]") == ["+0.03"]
    assert_page_shows(browser, "#cost", [nudged])
    assert "the wish is its opposite" in texts(browser, "#nudge-words")[0]
    browser.execute_script("set({sign: 'derivative'})")
    assert "wish" not in texts(browser, "#nudge-words")[0]
    click(browser, "#nudge-none")
    assert_page_shows(browser, "#cost", [cost])
    click(browser, "#nudge-more")
    assert texts(browser, "#nudge-table [data-j=own] [data-what=dw]") == ["+0.01"]
    click(browser, "#next")
    assert texts(browser, "#nudge-table [data-j=own] [data-what=dw]") == ["0"]


@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_mouse_and_finger_drag_the_point(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, kind: str
) -> None:
    """Anywhere in the plot, on a wide window and on a phone."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    show(network, data, touch=kind == "touch", size=(360, 740) if kind == "touch" else (1440, 900))
    open_panel(browser, "edge")
    click(browser, "#nudge-choose")
    ask(browser, "state.chosen")
    box = find(browser, "#nudge-plot").rect
    left, top = ask(
        browser, "[byId('nudge-plot').getBoundingClientRect().x, byId('nudge-plot').getBoundingClientRect().y]"
    )
    width, height = box["width"], box["height"]
    actions = ActionBuilder(browser, mouse=PointerInput(kind, kind), duration=5)
    pointer = actions.pointer_action
    pointer.move_to_location(round(left + 0.6 * width), round(top + height / 2)).pointer_down()
    pointer.move_to_location(round(left + 0.8 * width), round(top + height / 2)).pointer_up()
    actions.perform()

    dw, reach = ask(browser, "[state.nudge.dw, Number(byId('nudge-by').max)]")
    at = (0.8 * 340 - 46) / (340 - 46 - 10)  # the plot's margins
    assert dw == pytest.approx((2 * at - 1) * reach, abs=0.03 * reach)
