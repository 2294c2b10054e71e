"""The page in a browser: after each interaction, all numbers equal those of numpy."""

import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import backward, forward
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.data.preprocess import preprocess
from mnist_bp.explanation.chain_rule import explain
from mnist_bp.explanation.result import Address, Explanation
from mnist_bp.page.assemble import assemble, fill, page_modules
from mnist_bp.page.bundle import bundle
from mnist_bp.page.content import page_content

pytestmark = pytest.mark.browser

UP, LEFT, RIGHT, DOWN, BACKSPACE = "\ue013\ue012\ue014\ue015\ue003"
"""Keys, as WebDriver (W3C, 2018) has them."""

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\u2028"

INSIDE = """
import { content, images, network, shape } from "./content.js";
import { choose } from "./controls.js";
import { niceTicks } from "./charts.js";
import { byId } from "./dom.js";
import { board } from "./examples.js";
import { diagram, renderAtOnce } from "./main.js";
import { Network } from "./model.js";
import { backward, cost, forward } from "./network.js";
import { preprocess } from "./preprocess.js";
import { state, takeSteps } from "./state.js";
import { drawCurves } from "./steps.js";

Object.assign(window, { Network, board, byId, choose, content, diagram, drawCurves, images, network, niceTicks });
Object.assign(window, { backward, cost, forward, preprocess, renderAtOnce, shape, state, takeSteps });
"""
"""Module that runs the page and makes global what tests look at; the page itself has no globals."""

Browser = Any
"""A selenium driver; selenium itself is imported only where there is a browser for it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("needs Chromium and chromedriver on the PATH")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "disable-gpu",
        "disable-background-networking",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def errors(browser: Browser) -> Iterator[None]:
    """Whatever a test does, the browser has nothing to complain about."""
    browser.get_log("browser")
    yield
    assert browser.get_log("browser") == []


@pytest.fixture(scope="module")
def data(few_digits: tuple[Examples, Examples]) -> Dataset:
    """A few digits, fifty of them on the page."""
    train, test = few_digits
    return Dataset("few", train, test.first(50))


@pytest.fixture(scope="module")
def network(data: Dataset) -> Network:
    """A network that has learned a little, so that it is neither sure of everything nor of nothing."""
    network = Network([784, 16, 16, 10], rng=np.random.default_rng(0))
    for _ in range(60):
        network.parameters -= 2 * network.backpropagate(data.train.inputs(np.float32), data.train.labels)[1].vector
    return network


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Callable[..., None]:
    """Open the page of a network, in a window of this width."""

    def open_page(network: Network, data: Dataset, *, width: int = 1440, name: str = "run") -> None:
        content = page_content(network, data, name=name, trained_on=None, learning_rate=2.0)
        content["history"] = {"epoch": [1.0, 2.0], "test_cost": [0.5, None], "train_cost": [0.4, 0.3]}
        path = tmp_path / "page.html"
        path.write_bytes(fill(content, name, bundle({**page_modules(content), "inside": INSIDE}, "inside")))
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(path.as_uri())

    return open_page


def find(browser: Browser, selector: str) -> Any:
    """The element, in sight, with the focus on it and what stands in it selected."""
    return browser.execute_script(
        """const found = document.querySelector(arguments[0]);
        found.scrollIntoView({block: "center"});
        found.focus();
        if (found.select) found.select();
        return found""",
        selector,
    )


def press(browser: Browser, selector: str, keys: str) -> None:
    """Press keys there."""
    from selenium.webdriver import ActionChains

    find(browser, selector)
    ActionChains(browser, duration=5).send_keys(*keys).perform()


def ask(browser: Browser, expression: str, *arguments: Any) -> Any:
    """A value of the page's, when it has shown what was done to it last."""
    return browser.execute_script(f"renderAtOnce(); return {expression}", *arguments)


def shown(browser: Browser, selector: str) -> list[float]:
    """The numbers that these elements show, as text."""
    texts = ask(browser, "[...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)
    return [float(text.replace("−", "-").lstrip("▲▼ ")) for text in texts]


def draw_a_seven(browser: Browser) -> None:
    """Draw with the mouse: a bar, then down."""
    from selenium.webdriver import ActionChains

    board = find(browser, "#board")
    strokes = [(-60, -70), (60, -75), (30, -20), (0, 30), (-20, 80)]
    mouse = ActionChains(browser, duration=5)
    mouse.move_to_element_with_offset(board, *strokes[0]).click_and_hold()
    for x, y in strokes[1:]:
        mouse.move_to_element_with_offset(board, x, y)
    mouse.release().perform()


def explained(network: Network, grey: NDArray[np.uint8], target: int, address: Address | None = None) -> Explanation:
    """Return the explanation of one image."""
    x = grey.reshape(1, -1) / 255
    return explain(network.astype(np.float64), x, np.array([target]), 0, address, learning_rate=1.0)


@pytest.mark.parametrize("width", [360, 1440])
def test_a_user_draws_a_digit_and_steps_back(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, width: int
) -> None:
    """From the drawing to the step downhill: what the page shows is what Python computes."""
    exact = network.astype(np.float64)
    show(network, data, width=width)
    assert ask(browser, "document.documentElement.scrollWidth <= innerWidth")

    draw_a_seven(browser)
    board, seen = (
        np.array(pixels, np.uint8) for pixels in ask(browser, "[Array.from(board.grey()), Array.from(state.grey)]")
    )
    expected = preprocess(board.reshape(280, 280), (28, 28))
    assert np.abs(expected.ravel().astype(int) - seen).max() <= 1
    trace = forward(exact, seen.reshape(1, -1) / 255)
    answer = int(trace.A[exact.L].argmax())
    assert ask(browser, "byId('prediction').textContent") == str(answer)

    target = (answer + 1) % 10
    find(browser, f"#targets label:nth-of-type({target + 1})").click()
    explanation = explained(network, seen, target)
    assert shown(browser, "#cost") == pytest.approx([explanation.cost], rel=1e-5)
    assert shown(browser, "#outputs [data-what=a]") == pytest.approx([o.a for o in explanation.outputs], abs=5.1e-5)
    assert shown(browser, "#outputs [data-what=cost]") == pytest.approx(
        [output.cost for output in explanation.outputs], abs=5.1e-5
    )
    assert shown(browser, "#outputs [data-what=nudge]") == pytest.approx(
        [output.nudge for output in explanation.outputs], abs=5.1e-5
    )

    gradient = backward(exact, trace, exact.targets(np.array([target])))
    for layer in (3, 2, 1):
        press(browser, "#step-back", 3 * LEFT)
        slopes = trace.A[layer] * (1 - trace.A[layer])
        assert shown(browser, "#layer-table [data-what=slope]") == pytest.approx(slopes[0], rel=1e-3)
        assert shown(browser, "#layer-table [data-what=dC_db]") == pytest.approx(gradient.biases[layer - 1], rel=1e-3)
    assert ask(browser, "byId('step-back').ariaDisabled") == "true"

    for address in (Address(3, target, 5), Address(1, 2, int(seen.argmax())), Address(2, 7, None)):
        for name, value in zip(["layer", "j", "k"], address, strict=True):
            press(browser, f"#address-{name}", BACKSPACE if value is None else str(value))
        told = explained(network, seen, target, address)
        factors = [told.factors.a_k, told.factors.slope, told.factors.dC_da, told.factors.product]
        assert shown(browser, "#edge .factors .value") == pytest.approx(factors, rel=1e-5)
        sums = [paths.total for paths in told.paths]
        assert shown(browser, "#edge [data-what=sum]") == pytest.approx(sums, rel=1e-5)

    rate = ask(browser, "state.rate")
    exact.parameters -= rate * gradient.vector
    find(browser, "#take-step").click()
    after = explained(exact, seen, target).cost
    assert after < explanation.cost
    assert shown(browser, "#cost") == pytest.approx([after], rel=1e-5)
    right = (exact.forward(data.test.inputs(np.float64)).argmax(axis=1) == data.test.labels).mean()
    assert ask(browser, "byId('accuracy-effect').textContent").endswith(f"→ {100 * right:.1f} %")
    find(browser, "#reset").click()
    assert shown(browser, "#cost") == pytest.approx([explanation.cost], rel=1e-5)


@pytest.mark.parametrize(
    ("activation", "cost", "output_activation"),
    [*product(ACTIVATIONS, COSTS, [None]), ("sigmoid", "squared-error", "identity")],
)
def test_every_activation_and_cost_computes_what_numpy_computes(
    browser: Browser,
    errors: None,
    show: Callable[..., None],
    rng: np.random.Generator,
    activation: str,
    cost: str,
    output_activation: str | None,
) -> None:
    """Outputs, cost and the whole gradient; with kinks, and without hidden layers."""
    settings: dict[str, Any] = {"activation": activation, "cost": cost, "output_activation": output_activation}
    settings |= {"rng": rng, "dtype": np.float64}
    show(Network([6, 5, 4], **settings), tiny(rng))
    x = rng.normal(size=(1, 6))
    for hidden in [], [5], [5, 3]:
        network = Network([6, *hidden, 4], **settings)
        network.parameters += rng.normal(size=network.parameters.shape) / 3

        outputs, C, gradient = browser.execute_script(
            """const network = new Network(arguments[0]), y = network.oneHot(2);
            const trace = forward(network, Float64Array.from(arguments[1]));
            const gradient = backward(network, trace, y).gradient;
            return [Array.from(trace.A[network.L]), cost(network, trace, y), Array.from(gradient.vector)]""",
            {
                "sizes": network.sizes,
                "activation": activation,
                "cost": cost,
                "output_activation": network.output_activation,
                "parameters": network.parameters.tolist(),
            },
            x[0].tolist(),
        )

        expected_cost, expected_gradient = network.backpropagate(x, np.array([2]))
        assert outputs == pytest.approx(network.forward(x)[0], rel=1e-12)
        assert C == pytest.approx(expected_cost, rel=1e-12)
        assert gradient == pytest.approx(expected_gradient.vector, rel=1e-11, abs=1e-15)


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
    find(browser, "#step-back").click()

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

    press(browser, "#board", RIGHT + RIGHT)
    press(browser, "#step-back", LEFT)
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

    find(browser, "#only-mistakes").click()
    seen = ask(browser, "Array.from(arguments[0], () => (byId('next').click(), state.example))", mistakes)
    assert 1 < len(mistakes) < len(answers)
    assert sorted(seen) == mistakes
    assert f"test digit {seen[-1]}, a {data.test.labels[seen[-1]]}" in ask(browser, "byId('example-name').textContent")

    draw_a_seven(browser)
    draw_a_seven(browser)
    find(browser, "#undo").click()
    assert ask(browser, "[board.strokes.length, state.example]") == [1, None]
    find(browser, "#clear").click()
    assert ask(browser, "state.grey.every((level) => level === 0)")
    assert "nothing on the board" in ask(browser, "byId('answer').textContent")


def test_a_step_that_leaves_the_finite_numbers_is_taken_back(
    browser: Browser, errors: None, show: Callable[..., None], rng: np.random.Generator
) -> None:
    """The page reports it and restores the parameters."""
    show(Network([6, 4], cost="cross-entropy", rng=rng), tiny(rng))

    before = ask(browser, "[...network.parameters]")
    after, taken = ask(browser, "(state.rate = Infinity, takeSteps(9), [[...network.parameters], state.taken])")

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
        """const edge = diagram.layout.edges.filter(({address}) => address.layer === 3)
            .reduce((one, other) => (other.share > one.share ? other : one));
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
    assert shown(browser, "#edge [data-what=product]") == pytest.approx([told.factors.product], rel=1e-5)


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
    assert shown(browser, "#cost") == pytest.approx([told.cost], rel=1e-5)
    browser.execute_script("choose({layer: 2, j: 1, k: 117})")
    assert shown(browser, "#edge .factors .value") == pytest.approx(
        [told.factors.a_k, told.factors.dC_dz, told.factors.product], rel=1e-5
    )


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
