"""The formula of the stage: its terms become numpy's numbers and light up in the diagram, and tables do the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from page_actions import LEFT, Browser, ask, assert_shows, find, open_panel, press, texts

from mnist_bp import Network
from mnist_bp.core.network import backward, forward
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

NUMBERS = "#stage-formula .is-number .term-number"


def lights(browser: Browser) -> list[dict[str, float]]:
    """The places of the lights in the diagram."""
    return ask(
        browser,
        """[...document.querySelectorAll("#diagram .spot")].map((one) =>
            Object.fromEntries([...one.attributes].map(({name, value}) => [name, Number(value)])))""",
    )


@pytest.mark.parametrize(
    "settings",
    [{}, {"activation": "tanh", "cost": "cross-entropy"}, {"activation": "relu", "cost": "binary-cross-entropy"}],
)
def test_every_term_of_every_stage_becomes_its_number(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset, settings: dict[str, str]
) -> None:
    """As numpy computes it, in the sign that is chosen, when it is pointed at or has the focus."""
    network = Network([784, 7, 6, 10], rng=np.random.default_rng(3), **settings)
    show(network, data)
    exact = network.astype(np.float64)
    example, target = ask(browser, "[state.example, state.target]")
    numbers = Numbers(exact, data.test.inputs(np.float64)[[example]], exact.targets(np.array([target])))
    for sign in ("wish", "derivative"):
        found = browser.execute_script(
            """set({sign: arguments[0]});
            return Array.from({length: stages.length + 1}, (_, stage) => {
                set({stage});
                renderAtOnce();
                const view = {network, ...computed(), ...state, stages, looked: null, drawn: content.network.drawn};
                const terms = termsOf(stageWords(view).line).filter((part) => typeof part !== "string");
                const layer = edgeLayer(terms), address = addressOf(view, layer, diagram.layout.edges[layer]);
                return terms.map(({part, of, index, layer: l}, i) => {
                    const button = document.querySelectorAll("#stage-formula .term")[i];
                    button.focus();
                    renderAtOnce();
                    const lights = document.querySelectorAll("#diagram .spot").length;
                    const text = button.querySelector('.term-number').innerText;
                    return [part, of ?? null, index, l, address, text, lights];
                });
            })""",
            sign,
        )
        for part, of, index, layer, address, text, n_lights in (term for terms in found for term in terms):
            expected = numbers.of(part, of, layer, address, address["k" if index == "k" else "j"])
            assert n_lights == 1, (part, of)
            if np.isfinite(expected):
                assert_shows([text.strip("()")], [-expected if part == "derivative" and sign == "wish" else expected])
        assert len(found) == ask(browser, "stages.length") + 1
        kinds = {(part, of) for terms in found for part, of, *_ in terms}
        assert kinds >= {("a", None), ("w", None), ("z", None), ("b", None), ("y", None), ("derivative", "w")}


class Numbers:
    """The numbers of one example, as numpy computes them."""

    def __init__(self, network: Network, x: np.ndarray, y: np.ndarray) -> None:
        self.network, self.y = network, y
        self.A = forward(network, x).A
        self.gradient = gradient = backward(network, forward(network, x), y)
        L = len(network.sizes) - 1
        self.dC_dA = {l: gradient.biases[l] @ network.weights[l] for l in range(L)}  # (6)
        self.dC_dA[L] = np.full(network.sizes[-1], np.nan)

    def of(self, part: str, of: str | None, layer: int, address: dict[str, int], neuron: int) -> float:
        """The number of a term. It is nan for those that depend on ∂C_0/∂a of the last layer."""
        j, k, edge = address["j"], address["k"], address["layer"] - 1
        weights, biases, gradient = self.network.weights, self.network.biases, self.gradient
        if (part, of) in {("w", None), ("derivative", "w")}:
            return (weights if of is None else gradient.weights)[edge][j, k]
        if layer == 0:
            return (self.A if of is None else self.dC_dA)[0][..., neuron].item()
        values = {
            ("a", None): self.A[layer][0],
            ("b", None): biases[layer - 1],
            ("y", None): self.y[0],
            ("z", None): (self.A[layer - 1] @ weights[layer - 1].T + biases[layer - 1])[0],
            ("slope", None): gradient.biases[layer - 1] / self.dC_dA[layer],
            ("derivative", "a"): self.dC_dA[layer],
            ("derivative", "z"): gradient.biases[layer - 1],
        }
        return values[part, of][neuron]


def test_pointing_at_a_term_lights_neuron_ring_triangle_or_edge(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The term alone becomes a number; when the mouse leaves, it is a symbol again."""
    from selenium.webdriver import ActionChains

    show(network, data)
    press(browser, "#board", 3 * LEFT)
    assert len(texts(browser, "#stage-formula .term")) == 4
    for term, kind in enumerate(["edge", "neuron", "ring", "triangle"]):
        button = browser.find_elements("css selector", "#stage-formula .term")[term]
        ActionChains(browser, duration=5).move_to_element(button).perform()
        assert ask(browser, "state.spot.kind") == kind
        assert len(texts(browser, NUMBERS)) == 1
        assert len(lights(browser)) == 1
    ActionChains(browser, duration=5).move_to_element(find(browser, "#answer")).perform()
    assert ask(browser, "state.spot") is None
    assert texts(browser, NUMBERS) == []
    assert lights(browser) == []


def test_diagram_and_tables_turn_the_formula_into_numbers(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Those of the edge that is chosen, or of the neuron in a row."""
    from selenium.webdriver import ActionChains

    show(network, data)
    press(browser, "#board", 3 * LEFT)
    ask(browser, "setChosen({layer: 3, j: 4, k: 2})")
    a_k, slope, product = ask(
        browser,
        """[computed().trace.A[2][2], computed().trace.dA_dZ[3][4],
            -computed().trace.A[2][2] * computed().derivatives.dC_dZ[3][4]]""",
    )
    shown = texts(browser, NUMBERS)
    assert len(shown) == 4
    assert_shows(shown[:3], [product, a_k, slope])

    ask(browser, "setChosen(null)")
    open_panel(browser, "numbers")
    row = find(browser, "#layer-table tr[data-j='7']")
    ActionChains(browser, duration=5).move_to_element(row).perform()
    assert_shows([texts(browser, NUMBERS)[2]], [ask(browser, "computed().trace.dA_dZ[3][7]")])
    place = ask(browser, "(({x, y}) => [x, y])(diagram.place(3, 7))")
    [light] = lights(browser)
    assert [light["cx"], light["cy"]] == pytest.approx(place, abs=0.01)


def test_a_finger_taps_a_term(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """It stays a number until something else is tapped."""
    show(network, data, size=(360, 740), touch=True)
    press(browser, "#board", 3 * LEFT)
    assert len(texts(browser, "#stage-formula .term")) == 4

    tap(browser, browser.find_elements("css selector", "#stage-formula .term")[2])

    assert ask(browser, "state.spot.kind") == "ring"
    assert len(texts(browser, NUMBERS)) == 1
    tap(browser, find(browser, "#stage-text"))
    assert ask(browser, "state.spot") is None
    assert texts(browser, NUMBERS) == []


def tap(browser: Browser, element: Any) -> None:
    """Tap an element with a finger."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    actions = ActionBuilder(browser, mouse=PointerInput("touch", "finger"), duration=5)
    actions.pointer_action.move_to(element).pointer_down().pointer_up()
    actions.perform()
