"""The page's controls in a browser: each does what it says, and nothing else changes."""

from collections.abc import Callable

import numpy as np
import pytest
from page_actions import DOWN, Browser, ask, click, draw_a_seven, open_panel, press, texts

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.page.selection import MOST_NEURONS, SOME_NEURONS, drawn_neurons

pytestmark = pytest.mark.browser


def signs(browser: Browser, sign: str) -> dict:
    """Return what the page shows of ∂C in this sign: triangles, edges, table, formula and factors."""
    browser.execute_script("set({sign: arguments[0], stage: 3, panel: 'numbers'}); renderAtOnce()", sign)
    found = browser.execute_script(
        """const all = (selector) => [...document.querySelectorAll(selector)];
        const look = (one) => one.getAttribute("visibility") === "hidden" ? 0 : one.matches(".plus") ? 1 : -1;
        const tip = (one) => one.getAttribute("d").match(/M\\S+ (\\S+?)h\\S+L\\S+ (\\S+)z/).slice(1).map(Number);
        return {nudges: all("path.nudge").map(look), edges: diagram.layout.edges[3].map(({line}) => look(line)),
            points: all("path.nudge").filter((one) => look(one)).map((one) => tip(one)[1] < tip(one)[0] ? 1 : -1),
            table: all("#outputs td[data-what=nudge]").map((one) => one.textContent[0]),
            formula: byId("stage-formula").textContent}"""
    )
    open_panel(browser, "edge")
    browser.execute_script("setChosen({layer: 3, j: state.target, k: 2})")
    found["factors"] = texts(browser, "#edge .factors .value")
    browser.execute_script("setChosen(null)")
    return found


def test_one_switch_changes_the_sign_of_everything(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Triangles, edges, tables, formulas: the wish is the opposite of the derivative, and comes first."""
    show(network, data)
    assert ask(browser, "state.sign") == "wish"

    wish, derivative = signs(browser, "wish"), signs(browser, "derivative")

    for name in ("nudges", "edges", "points"):
        assert [-one for one in wish[name]] == derivative[name]
        assert set(wish[name]) >= {-1, 1}
    assert [one for one in wish["nudges"] if one] == wish["points"]  # blue points up
    assert [{"▲": "▼", "▼": "▲"}[one] for one in wish["table"]] == derivative["table"]
    assert wish["formula"].startswith("−")
    assert not derivative["formula"].startswith("−")
    assert wish["factors"][:-2] == derivative["factors"][:-2]  # a and σ′ have no such sign
    for one, other in zip(wish["factors"][-2:], derivative["factors"][-2:], strict=True):
        assert {one[0], other[0]} == {"+", "−"}
        assert one[1:] == other[1:]


def test_a_wish_of_zero_has_no_triangle(
    browser: Browser, errors: None, show: Callable[..., None], rng: np.random.Generator, data: Dataset
) -> None:
    """Neither in the diagram nor in the table."""
    network = Network([784, 10], rng=rng)
    network.parameters[:] = 0
    network.biases[0][:] = -800
    network.biases[0][3] = 800
    show(network.astype(np.float64), data)
    browser.execute_script("set({stage: 1, panel: 'numbers'})")
    click(browser, "#targets label:nth-of-type(4)")
    browser.execute_script("set({stage: 1})")

    assert ask(browser, "state.target") == 3
    cells = texts(browser, "#outputs td[data-what=nudge]")
    assert cells[3] == "0"
    hidden = ask(browser, "[...document.querySelectorAll('path.nudge')].map((one) => one.getAttribute('visibility'))")
    assert hidden[3] == "hidden"


def test_escape_and_an_empty_click_choose_nothing(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The choice is gone from the diagram, the card and the panel."""
    show(network, data)
    for way in ("Escape", "empty"):
        browser.execute_script("setChosen({layer: 2, j: 3, k: 4}); set({panel: 'edge'})")
        assert texts(browser, "#edge .factors .value") != []
        if way == "Escape":
            press(browser, "#diagram", "\ue00c")
        else:
            browser.execute_script(
                """const box = byId("diagram").getBoundingClientRect();
                byId("diagram").dispatchEvent(new MouseEvent("click", {clientX: box.left + 3, clientY: box.bottom - 40,
                    bubbles: true}))"""
            )
        assert ask(browser, "[state.chosen, byId('card').hidden, byId('address-j').value]") == [None, True, ""]
        assert texts(browser, "#edge *") == []


def test_numbers_beyond_their_range_are_refused_with_the_range(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The ranges of j and k follow from l; what was chosen stays."""
    show(network, data)
    open_panel(browser, "edge")

    press(browser, "#address-layer", "2")
    press(browser, "#address-j", "3")
    press(browser, "#address-k", "15")
    assert ask(browser, "state.chosen") == {"layer": 2, "j": 3, "k": 15}
    assert texts(browser, ".address small") == ["1 to 3", "0 to 15", "0 to 15"]
    press(browser, "#address-k", "16")
    assert texts(browser, "#address-error") == ["k is 0 to 15 in layer 1."]
    assert ask(browser, "byId('address-k').getAttribute('aria-invalid')") == "true"
    assert ask(browser, "state.chosen.k") == 1  # on the way to 16
    press(browser, "#address-layer", "1")
    assert texts(browser, "#address-error") == [""]
    assert ask(browser, "state.chosen") == {"layer": 1, "j": 3, "k": 16}


def test_triangles_shrink_after_a_step_and_a_long_step_is_called_an_overshoot(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The scale stays that of before the first step; the default η lowers the cost."""
    show(network, data)
    browser.execute_script("set({stage: 9, panel: 'step'})")
    sizes = """[...document.querySelectorAll("path.nudge")].reduce((sum, one) =>
        sum + Number((one.getAttribute("d") || "h0").match(/h([\\d.]+)/)[1]), 0)"""
    assert 0.05 <= ask(browser, "state.rate") <= 0.1

    before = ask(browser, sizes)
    click(browser, "#take-ten")
    browser.execute_async_script(
        "const done = arguments[0]; (function wait() { state.busy === null ? done() : setTimeout(wait) })()"
    )
    assert ask(browser, sizes) < 0.8 * before
    assert "Overshoot" not in texts(browser, "#downhill-note")[0]
    linear = Network([784, 10], output_activation="identity", rng=np.random.default_rng(0))
    show(linear, data)
    open_panel(browser, "step")
    click(browser, "#take-step")
    wait_for_steps(browser)
    assert "Overshoot" in texts(browser, "#downhill-note")[0]
    before, after = texts(browser, "#cost-effect")[0].split(" → ")
    assert float(after) > float(before)


def wait_for_steps(browser: Browser) -> None:
    """Wait until the steps are taken."""
    browser.execute_async_script(
        """const done = arguments[0];
        (function wait() { if (state.busy === null) done(); else setTimeout(wait); })()"""
    )


def test_one_scale_shows_how_the_gradient_vanishes(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset
) -> None:
    """The early layers of a deep sigmoid network have small triangles beside those of the last."""
    network = Network([784, *[8] * 4, 10], rng=np.random.default_rng(3))
    network.parameters *= 0.7
    show(network, data)
    widths = """(set({isCommonScale: arguments[0], stage: stagesCount}), renderAtOnce(), [1, 5].map((layer) =>
        Math.max(...diagram.layout.neurons.filter((one) => one.address.layer === layer).map(({nudge}) =>
            Number((nudge.getAttribute("d") || "h0").match(/h([\\d.]+)/)[1])))))""".replace("stagesCount", "15")

    own, common = (ask(browser, widths, is_common) for is_common in (False, True))

    assert own[0] > 0.4 * own[1]
    assert common[0] < 0.3 * common[1]
    norms = [float(text) for text in texts(browser, "#diagram .norm")[1:]]
    assert norms[1] < norms[4]


@pytest.mark.parametrize("hidden", [(40,), (41, 60)])
def test_up_to_forty_neurons_are_drawn_whole_and_the_selection_stays(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset, hidden: tuple[int, ...]
) -> None:
    """It changes neither from digit to digit nor with a drawing."""
    network = Network([784, *hidden, 10], rng=np.random.default_rng(0))
    show(network, data, size=(1280, 720))
    neurons = "diagram.layout.neurons.map(({address}) => [address.layer, address.j])"

    first = ask(browser, neurons)
    for layer, n in enumerate(hidden, start=1):
        assert sum(l == layer for l, _ in first) == (n if n <= MOST_NEURONS else SOME_NEURONS)
    press(browser, "#board", DOWN)
    assert ask(browser, neurons) == first
    draw_a_seven(browser)
    browser.execute_script("setChosen({layer: 1, j: 39, k: null})")
    assert ask(browser, neurons) == first


def test_of_a_wide_layer_the_leaders_of_both_passes_are_drawn() -> None:
    """A neuron that is bright and heard, and one through which the error flows, are both among them."""
    rng = np.random.default_rng(0)
    network = Network([6, 50, 4], activation="relu", rng=rng, dtype=np.float64)
    network.weights[0][:] = 0.01
    network.biases[0][7] = 50
    network.weights[1][:, 7] = 0.5
    network.weights[1][:, 31] = 9
    x = rng.random((20, 6))

    drawn = drawn_neurons(network, x, np.arange(20) % 4)

    assert drawn[0] == []
    assert len(drawn[1]) == SOME_NEURONS
    assert {7, 31} <= set(drawn[1])
    assert drawn[2] == [0, 1, 2, 3]


def test_many_named_classes_can_be_chosen_and_are_named_everywhere(
    browser: Browser, errors: None, show: Callable[..., None], rng: np.random.Generator
) -> None:
    """In the list, the diagram, the table, the card and the words."""
    names = tuple(f"class {chr(97 + i)}" for i in range(26))
    examples = Examples(rng.integers(0, 256, (26, 28, 28), np.uint8), np.arange(26, dtype=np.uint8))
    show(Network([784, 12, 26], rng=rng), Dataset("letters", examples, examples, 26), names=names)
    open_panel(browser, "numbers")

    browser.execute_script(
        """const list = document.querySelector("#targets select");
        list.value = "7";
        list.dispatchEvent(new Event("change"))"""
    )
    assert ask(browser, "state.target") == 7
    assert texts(browser, "#diagram .output-name") == list(names)
    assert texts(browser, "#diagram .output-name.wanted") == ["class h"]
    assert texts(browser, "#outputs tbody th") == list(names)
    assert texts(browser, "#outputs tr.wanted th") == ["class h"]
    assert ask(browser, "document.querySelector('#outputs').scrollWidth <= byId('panels').clientWidth")
    browser.execute_script("setChosen({layer: 2, j: 7, k: null})")
    assert "class h" in ask(browser, "byId('card').textContent")


def test_the_last_stage_shows_the_sensitivity_to_each_pixel(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """∂C/∂a^(0) as numpy has it, in the sign that is chosen, on the picture of the digit."""
    show(network, data)
    browser.execute_script("set({stage: 10})")

    example, target = ask(browser, "[state.example, state.target]")
    values = ask(browser, "Array.from(diagram.view.derivatives.dC_dA[0])")
    exact = network.astype(np.float64)
    expected = exact.input_gradient(data.test.inputs(np.float64)[example][None], np.array([target]))[1]
    assert values == pytest.approx(expected.ravel(), rel=1e-9, abs=1e-15)
    pixel = int(np.abs(expected).argmax())
    colour = """((...args) => {
        set({sign: args[1]});
        renderAtOnce();
        const copy = document.createElement("canvas").getContext("2d");
        copy.drawImage(diagram.layout.canvas, 0, 0);
        return Array.from(copy.getImageData(args[0] % 28, Math.floor(args[0] / 28), 1, 1).data.slice(0, 3));
    })(...arguments)"""
    blue, orange = [0, 99, 166], [179, 74, 0]
    is_positive = expected.ravel()[pixel] > 0
    assert ask(browser, colour, pixel, "derivative") == (blue if is_positive else orange)
    assert ask(browser, colour, pixel, "wish") == (orange if is_positive else blue)
    assert ask(browser, "diagram.layout.contour.getAttribute('d').length") > 0
    browser.execute_script("set({stage: 9})")
    assert ask(browser, "diagram.layout.contour.getAttribute('d')") == ""


def test_one_sentence_is_announced_and_no_table(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """It says what the last action changed."""
    show(network, data)
    assert ask(browser, "[...document.querySelectorAll('[aria-live]')].map((one) => one.id)") == ["announcement"]

    browser.execute_script("set({stage: 1})")
    browser.execute_async_script("setTimeout(arguments[0], 600)")
    browser.execute_script("set({stage: 2})")
    browser.execute_async_script("setTimeout(arguments[0], 600)")
    assert "How responsive each neuron is" in texts(browser, "#announcement")[0]


MUTATIONS = """
const seen = new MutationObserver(() => {});
renderAtOnce();
seen.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
renderAtOnce();
return seen.takeRecords().map(({target, type, attributeName}) => [target.id || target.outerHTML, type, attributeName]);
"""
"""Function of nothing: what a second rendering of the same state changes in the document."""


def test_what_stays_equal_is_not_written_again(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """A frame of a stroke writes what the stroke changed, and nothing else."""
    show(network, data)
    for stage in (0, 3, 10):
        browser.execute_script("set({stage: arguments[0], panel: 'numbers'})", stage)
        assert (stage, browser.execute_script(MUTATIONS)) == (stage, [])


def test_a_drawing_is_prepared_once_a_frame(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """However often the pointer moved; the strokes keep every point."""
    show(network, data)
    browser.execute_script(
        """const box = byId("board").getBoundingClientRect();
        const at = (type, x) => byId("board").dispatchEvent(new PointerEvent(type, {pointerId: 1, button: 0,
            clientX: box.left + x, clientY: box.top + 60 + x / 2}));
        byId("board").setPointerCapture = () => {};
        window.reads = 0;
        const read = board.grey.bind(board);
        board.grey = () => (window.reads++, read());
        at("pointerdown", 30);
        for (let x = 31; x < 90; x++) at("pointermove", x);
        at("pointerup", 90)"""
    )

    assert ask(browser, "[window.reads, board.strokes[0].length, state.example]") == [1, 60, None]
