"""The page in a browser: after each interaction, all numbers equal those of numpy."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from page_actions import (
    BACKSPACE,
    DOWN,
    LEFT,
    UP,
    Browser,
    ask,
    assert_page_shows,
    click,
    draw_a_seven,
    explained,
    find,
    open_panel,
    press,
)

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import backward, forward
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.data.preprocess import preprocess
from mnist_bp.explanation.result import Address
from mnist_bp.page.assemble import assemble
from mnist_bp.page.content import page_content

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\u2028"


@pytest.mark.parametrize("size", [(360, 740), (1440, 900)])
def test_a_user_draws_a_digit_and_steps_back(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, size: tuple[int, int]
) -> None:
    """From the drawing to the step downhill: what the page shows is what Python computes."""
    exact = network.astype(np.float64)
    show(network, data, size=size)

    draw_a_seven(browser)
    board, seen = (
        np.array(pixels, np.uint8) for pixels in ask(browser, "[Array.from(board.grey()), Array.from(state.grey)]")
    )
    side = math.isqrt(len(board))
    assert np.abs(preprocess(board.reshape(side, side), (28, 28)).ravel().astype(int) - seen).max() <= 1
    trace = forward(exact, seen.reshape(1, -1) / 255)
    answer = int(trace.A[exact.L].argmax())
    assert ask(browser, "byId('prediction').textContent") == str(answer)

    target = (answer + 1) % 10
    click(browser, f"#targets label:nth-of-type({target + 1})")
    open_panel(browser, "numbers")
    explanation = explained(network, seen, target)
    assert_page_shows(browser, "#cost", [explanation.cost])
    for what, values in {
        "a": [output.a for output in explanation.outputs],
        "cost": [output.cost for output in explanation.outputs],
        "nudge": [output.nudge for output in explanation.outputs],
    }.items():
        assert_page_shows(browser, f"#outputs td[data-what={what}]", values)

    gradient = backward(exact, trace, exact.targets(np.array([target])))
    for layer in (3, 2, 1):
        press(browser, "#step-back", 3 * LEFT)
        slopes = trace.A[layer] * (1 - trace.A[layer])
        assert_page_shows(browser, "#layer-table [data-what=slope]", slopes[0])
        assert_page_shows(browser, "#layer-table [data-what=dC_db]", -gradient.biases[layer - 1])
    press(browser, "#step-back", LEFT)
    assert ask(browser, "byId('progress').textContent") == "10 / 10"
    assert "Take a step" in ask(browser, "byId('step-back').textContent")

    open_panel(browser, "edge")
    for address in (Address(3, target, 5), Address(1, 2, int(seen.argmax())), Address(2, 7, None)):
        for name, number in zip(["layer", "j", "k"], address, strict=True):
            press(browser, f"#address-{name}", BACKSPACE if number is None else str(number))
        told = explained(network, seen, target, address)
        factors = [told.factors.a_k, told.factors.slope, -told.factors.dC_da, -told.factors.product]
        assert_page_shows(browser, "#edge .factors .value", factors)
        assert_page_shows(browser, "#edge [data-what=sum]", [-paths.total for paths in told.paths])

    open_panel(browser, "step")
    rate = ask(browser, "state.rate")
    exact.parameters -= rate * gradient.vector
    click(browser, "#take-step")
    after = explained(exact, seen, target).cost
    assert after < explanation.cost
    assert_page_shows(browser, "#cost", [after])
    right = (exact.forward(data.test.inputs(np.float64)).argmax(axis=1) == data.test.labels).mean()
    assert ask(browser, "byId('accuracy-effect').textContent").endswith(f"→ {100 * right:.1f} %")
    click(browser, "#reset")
    assert_page_shows(browser, "#cost", [explanation.cost])


def test_every_activation_and_cost_computes_what_numpy_computes(
    browser: Browser, errors: None, show: Callable[..., None], rng: np.random.Generator
) -> None:
    """Outputs, cost and the whole gradient; with kinks, and without hidden layers."""
    show(Network([6, 5, 4], rng=rng), tiny(rng), has_all=True)
    x = rng.normal(size=(1, 6))
    settings = [*product(ACTIVATIONS, COSTS, [None]), ("sigmoid", "squared-error", "identity")]
    networks = [
        Network([6, *hidden, 4], activation=σ, cost=cost, output_activation=output, rng=rng, dtype=np.float64)
        for (σ, cost, output), hidden in product(settings, ([], [5], [5, 3]))
    ]
    names = ("sizes", "activation", "cost", "output_activation")
    for network in networks:
        network.parameters += rng.normal(size=network.parameters.shape) / 3

    found = browser.execute_script(
        """const [networks, x] = arguments;
        return networks.map((settings) => {
            const network = new Network(settings), y = network.oneHot(2);
            const trace = forward(network, Float64Array.from(x));
            const {vector} = gradient(network, trace, backward(network, trace, y));
            return [Array.from(trace.A[network.L]), cost(network, trace, y), Array.from(vector)];
        })""",
        [{name: getattr(one, name) for name in names} | {"parameters": one.parameters.tolist()} for one in networks],
        x[0].tolist(),
    )

    for network, (outputs, C, gradient) in zip(networks, found, strict=True):
        expected_cost, expected_gradient = network.backpropagate(x, np.array([2]))
        assert outputs == pytest.approx(network.forward(x)[0], rel=1e-12), network
        assert C == pytest.approx(expected_cost, rel=1e-12), network
        assert gradient == pytest.approx(expected_gradient.vector, rel=1e-11, abs=1e-15), network


def test_drawings_are_prepared_as_python_prepares_pictures(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset, rng: np.random.Generator
) -> None:
    """Dark on light or light on dark, from one side lit, noisy, of any size, for any shape: to a grey level."""
    show(Network([6, 4], rng=rng), tiny(rng))
    digit = np.kron(data.test.images[3], np.ones((4, 4))).astype(np.float64)
    wide = np.pad(digit, ((9, 30), (60, 2)))
    lit = 90 + 0.4 * np.linspace(0, 140, wide.shape[1]) + 0.3 * wide
    framed = np.pad(digit, 40)
    framed[10:-10, [10, -11]] = framed[[10, -11], 10:-10] = framed[0, 50:90] = framed[20:22, 20:22] = 255
    ruled = np.pad(digit, 40)
    ruled[5::25] = ruled[6::25] = ruled[:, 9::25] = 255
    pictures = [
        (digit, (28, 28)),
        (framed, (28, 28)),
        (ruled, (28, 28)),
        (np.pad(255 - ruled, (20, 9), constant_values=100), (28, 28)),
        (np.roll(data.test.images[3], 4, axis=1), (28, 28)),
        (255 - wide, (28, 28)),
        (np.clip(lit, 0, 255), (28, 28)),
        (np.clip(wide * 0.8 + rng.normal(20, 4, wide.shape), 0, 255), (28, 28)),
        (wide[:80], (20, 36)),
        (np.maximum(wide, 110.0 * ((np.add(*np.indices(wide.shape) * [[[1]], [[0.05]]])) % 25 < 2)), (28, 28)),
        (data.test.images[3], (28, 28)),
        (data.test.images[3][4:24, 4:24], (28, 28)),
    ]
    for picture, (rows, columns) in pictures:
        grey = np.rint(picture).astype(np.uint8)
        image = browser.execute_script(
            "return Array.from(preprocess(arguments[0], arguments[1], content.preprocess))",
            {"rows": grey.shape[0], "columns": grey.shape[1], "at": grey.ravel().tolist()},
            {"rows": rows, "columns": columns},
        )
        assert np.abs(preprocess(grey, (rows, columns)).ravel().astype(int) - image).max() <= 1
    blank = {"rows": 9, "columns": 9, "at": [255] * 81}
    assert ask(browser, "preprocess(arguments[0], shape, content.preprocess)", blank) is None


def tiny(rng: np.random.Generator, name: str = "tiny") -> Dataset:
    """Twelve images of 2 × 3 pixels in four classes."""
    examples = Examples(rng.integers(0, 256, (12, 2, 3), np.uint8), np.arange(12, dtype=np.uint8) % 4)
    return Dataset(name, examples, examples, 4)


def test_text_stays_text(browser: Browser, errors: None, show: Callable[..., None], rng: np.random.Generator) -> None:
    """Folders may be called anything; images that are not square, and a network without hidden layers, are shown."""
    show(Network([6, 4], rng=rng), tiny(rng, HOSTILE), name=HOSTILE)
    click(browser, "#step-back")

    assert ask(browser, "window.hacked") is None
    assert HOSTILE in ask(browser, "byId('about').textContent")
    assert ask(browser, "document.title") == HOSTILE


def test_it_can_connect_to_nothing(browser: Browser, show: Callable[..., None], rng: np.random.Generator) -> None:
    """Not even if something in it tried."""
    show(Network([6, 4], rng=rng), tiny(rng))

    refused = browser.execute_async_script(
        """document.addEventListener("securitypolicyviolation", (event) => arguments[0](event.effectiveDirective));
        fetch("http://localhost:9/").catch(() => {})"""
    )

    assert refused == "connect-src"


def test_the_page_has_no_globals(browser: Browser, errors: None, tmp_path: Path, rng: np.random.Generator) -> None:
    """The definitions of its modules stay local."""
    blank, path = tmp_path / "blank.html", tmp_path / "page.html"
    blank.write_text("<!doctype html><link rel=icon href=data:,>", encoding="utf-8")
    browser.get(blank.as_uri())
    before = browser.execute_script("return Object.keys(window)")
    content = page_content(Network([6, 4], rng=rng), tiny(rng), name="run", trained_on=None, learning_rate=2.0)
    path.write_bytes(assemble({**content, "history": {}}, "run"))
    browser.get(path.as_uri())

    assert browser.execute_script("return document.getElementById('prediction') !== null")
    after = browser.execute_script("return Object.keys(window)")
    assert set(after) - set(before) <= {"ret_nodes"}  # chromedriver's
    assert browser.execute_script("return [typeof renderAtOnce, typeof state, typeof module$main]") == 3 * ["undefined"]


def test_the_keyboard_does_everything(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Arrow keys show test digits, step back, and walk along the edges; every control says what it is."""
    show(network, data)
    first = ask(browser, "state.example")

    press(browser, "#board", DOWN + DOWN)
    press(browser, "#board", LEFT)
    assert ask(browser, "[state.example, state.target, state.stage]") == [
        (first + 2) % 50,
        int(data.test.labels[(first + 2) % 50]),
        1,
    ]
    walked = []
    for key in (DOWN, LEFT, UP, LEFT):  # a neuron; its strongest edge; the one above; where that comes from
        press(browser, "#diagram", key)
        walked.append(ask(browser, "state.chosen"))
    assert walked[0] == {"layer": 3, "j": 0, "k": None}
    assert walked[1] == {"layer": 3, "j": 0, "k": int(np.abs(network.weights[2][0]).argmax())}
    assert walked[2] == {"layer": 3, "j": 0, "k": (walked[1]["k"] - 1) % 16}
    assert walked[3] == {"layer": 2, "j": walked[2]["k"], "k": None}
    nameless = browser.execute_script(
        """return [...document.querySelectorAll("button, input, select, [tabindex]")].filter((one) =>
            !one.ariaLabel && !one.labels?.[0]?.textContent.trim() && !one.textContent.trim()
        ).map((one) => one.outerHTML)"""
    )
    assert nameless == []


def test_mistakes_alone_can_be_looked_at(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """One after the other; what is drawn can be undone, and wiped out."""
    show(network, data)
    answers = network.forward(data.test.inputs(np.float32)).argmax(axis=1)
    mistakes = np.flatnonzero(answers != data.test.labels).tolist()

    click(browser, "#only-mistakes")
    seen = ask(browser, "Array.from(arguments[0], () => (byId('next').click(), state.example))", mistakes)
    assert 1 < len(mistakes) < len(answers)
    assert sorted(seen) == mistakes
    assert f"test image {seen[-1]}: a {data.test.labels[seen[-1]]}" in ask(browser, "byId('example-name').textContent")

    open_panel(browser, "step")
    click(browser, "#take-ten")
    assert ask(browser, "state.evaluation.predictions[state.example]") == data.test.labels[seen[-1]]
    assert ask(browser, "state.example") == seen[-1]  # classified correctly now, but still shown, with its caption
    assert f"test image {seen[-1]}:" in ask(browser, "byId('example-name').textContent")
    click(browser, "#reset")

    draw_a_seven(browser)
    draw_a_seven(browser)
    click(browser, "#undo")
    assert ask(browser, "[board.strokes.length, state.example]") == [1, None]
    click(browser, "#clear")
    assert ask(browser, "state.grey.every((level) => level === 0)")
    assert "Nothing on the board" in ask(browser, "byId('answer').textContent")
    assert "Draw here" in ask(browser, "byId('hint').innerText")


def test_a_step_that_leaves_the_finite_numbers_is_taken_back(
    browser: Browser, errors: None, show: Callable[..., None], rng: np.random.Generator
) -> None:
    """The page reports it and restores the parameters."""
    show(Network([6, 4], cost="cross-entropy", rng=rng), tiny(rng))

    open_panel(browser, "step")

    before = ask(browser, "[...network.parameters]")
    browser.execute_script("state.rate = Infinity; return takeSteps(9)")
    after, taken = ask(browser, "[[...network.parameters], state.taken]")

    assert after == before
    assert taken == 0
    assert "too long" in ask(browser, "byId('downhill-note').textContent")


def test_pointing_at_an_edge_explains_it(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """While the mouse is there; a click keeps it."""
    from selenium.webdriver import ActionChains

    show(network, data)
    diagram = find(browser, "#diagram")
    x, y = browser.execute_script(
        """const edge = diagram.layout.edges[3].reduce((one, other) => (other.share > one.share ? other : one));
        const box = byId("diagram").getBoundingClientRect();
        return [edge.from.x + 0.8 * (edge.to.x - edge.from.x) - box.width / 2,
            edge.from.y + 0.8 * (edge.to.y - edge.from.y) - box.height / 2]"""
    )
    strongest = np.unravel_index(np.abs(network.weights[2]).argmax(), (10, 16))

    ActionChains(browser, duration=5).move_to_element_with_offset(diagram, round(x), round(y)).click().perform()

    assert ask(browser, "state.chosen") == {
        "layer": 3,
        "j": int(strongest[0]),
        "k": int(strongest[1]),
    }
    grey = data.test.images[ask(browser, "state.example")]
    target = ask(browser, "state.target")
    told = explained(network, grey, target, Address(3, int(strongest[0]), int(strongest[1])))
    assert_page_shows(browser, "[data-what=card-product]", [-told.factors.product])


def test_a_wide_network_is_drawn_in_part_and_reports_it(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset
) -> None:
    """Its strongest neurons; the calculus is that of all of them. Of a cross-entropy, one output has a cost."""
    network = Network([784, 200, 10], activation="relu", cost="cross-entropy", rng=np.random.default_rng(0))
    show(network, data)
    press(browser, "#step-back", 5 * LEFT)

    assert "16 of 200" in ask(browser, "byId('diagram').textContent")
    example, target = ask(browser, "[state.example, state.target]")
    told = explained(network, data.test.images[example], target, Address(2, 1, 117))
    assert_page_shows(browser, "#cost", [told.cost])
    open_panel(browser, "edge")
    browser.execute_script("setChosen({layer: 2, j: 1, k: 117})")
    factors = [told.factors.a_k, -told.factors.dC_dz, -told.factors.product]
    assert_page_shows(browser, "#edge .factors .value", factors)


def test_curves_as_flat_or_as_long_as_they_may_be_are_drawn(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Two costs that differ in their last digit alone; more epochs than a call takes arguments."""
    show(network, data)
    assert ask(browser, "niceTicks(1, 1 + 2 ** -52).length") < 10
    ask(browser, "drawCurves({epoch: Array.from({length: 300000}, (_, i) => i), test_cost: new Array(300000).fill(1)})")


def test_what_was_embedded_is_what_was_given(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Every parameter and every pixel."""
    show(network, data)

    parameters, pixels = ask(browser, "[Array.from(network.parameters), Array.from(images)]")

    assert np.array_equal(np.array(parameters, np.float32), network.parameters)
    assert np.array_equal(np.array(pixels, np.uint8), data.test.images.ravel())
