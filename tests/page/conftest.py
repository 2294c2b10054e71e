"""A browser with the page of a small network."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_actions import Browser

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS, OUTPUT_ACTIVATIONS
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.page.assemble import fill, page_modules
from mnist_bp.page.bundle import bundle
from mnist_bp.page.content import page_content
from mnist_bp.page.functions import functions_module

INSIDE = """
import { batchGradient, batchRows, membersOf } from "./batch.js";
import { chain, follow } from "./chain.js";
import { content, images, network, shape } from "./content.js";
import { niceTicks } from "./charts.js";
import { byId } from "./dom.js";
import { board, showExample } from "./examples.js";
import { diagram, renderAtOnce, renderIfChanged } from "./main.js";
import { Network } from "./model.js";
import { backward, cost, forward, gradient } from "./network.js";
import { preprocess } from "./preprocess.js";
import { stageWords } from "./stage.js";
import { computed, reset, set, setChosen, stages, state, takeSteps } from "./state.js";
import { addressOf, edgeLayer, termsOf, termValue } from "./terms.js";
import { trainingData } from "./train_here.js";
import { Trainer } from "./trainer.js";
import { drawCurves } from "./training.js";
import { costCurve, costWith } from "./what_if.js";

Object.assign(window, { Network, board, byId, content, diagram, drawCurves, images, network, niceTicks });
Object.assign(window, { backward, cost, forward, gradient, preprocess, renderAtOnce, set, setChosen, shape, state });
Object.assign(window, { computed, costCurve, costWith, reset, showExample, takeSteps, Trainer, trainingData });
Object.assign(window, { batchGradient, batchRows, chain, follow, membersOf, renderIfChanged });
Object.assign(window, { addressOf, edgeLayer, stages, stageWords, termsOf, termValue });
"""
"""Module that runs the page and makes global what tests look at; the page itself has no globals."""

ALL_FUNCTIONS = functions_module([*ACTIVATIONS, *OUTPUT_ACTIVATIONS], COSTS)
"""Module with every activation and cost."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
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
        "force-prefers-reduced-motion",  # signals that move cost frames; tests of them ask for motion
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


@pytest.fixture(scope="session")
def data(few_digits: tuple[Examples, Examples]) -> Dataset:
    """A few digits, fifty of them on the page."""
    train, test = few_digits
    return Dataset("few", train, test.first(50))


@pytest.fixture(scope="session")
def network(data: Dataset) -> Network:
    """A network that has learned a little, so that it is neither sure of everything nor of nothing."""
    network = Network([784, 16, 16, 10], rng=np.random.default_rng(0))
    for _ in range(60):
        network.parameters -= 2 * network.backpropagate(data.train.inputs(np.float32), data.train.labels)[1].vector
    return network


class Pages:
    """Pages of networks, each written once, and the window that shows them."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser, self.folder = browser, folder
        self.written: dict[tuple[Any, ...], Path] = {}
        self.kept: tuple[Any, ...] = ()
        self.window: tuple[Any, ...] = ()
        self.has_page = False
        self.shown = 0

    def page(
        self,
        network: Network,
        data: Dataset,
        name: str,
        names: tuple[str, ...],
        train: Examples | None,
        *,
        has_all: bool = False,
    ) -> Path:
        """The page of a network, with the functions of that network alone, or with all of them."""
        described = (*network.sizes, network.activation, network.cost, network.output_activation, network.dtype.name)
        key = (*described, network.parameters.tobytes(), id(data), name, names, train and id(train), has_all)
        if key not in self.written:
            self.kept += (data, train)  # another object would get the id of one that is gone
            content = page_content(network, data, name=name, trained_on=None, learning_rate=2.0, train=train)
            content["history"] = {"epoch": [1.0, 2.0], "test_cost": [0.5, None], "train_cost": [0.4, 0.3]}
            content["dataset"]["class_names"] = names
            path = self.folder / f"page{len(self.written)}.html"
            modules = page_modules(content) | ({"functions": ALL_FUNCTIONS} if has_all else {})
            path.write_bytes(fill(content, name, script_of(tuple(modules.items()))))
            self.written[key] = path
        return self.written[key]

    def resize(self, size: tuple[int, int], *, touch: bool) -> None:
        """Give the window this size, if it has another."""
        if self.window == (size, touch):
            return
        self.window = (size, touch)
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": touch}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": touch})
        if self.has_page:
            self.browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def leave(self, size: tuple[int, int], *, touch: bool) -> None:
        """Leave the page, so that it is not laid out again, if the window gets another size."""
        if self.has_page and self.window != (size, touch):
            self.browser.get("about:blank")
            self.has_page = False

    def load(self, path: Path, fragment: str) -> None:
        """Load a page anew, also if only the fragment of its address differs."""
        self.shown += 1
        self.has_page = True
        self.browser.get(f"{path.as_uri()}?{self.shown}{fragment}")


@cache
def script_of(modules: tuple[tuple[str, str], ...]) -> str:
    """The script that runs the page, with globals for tests."""
    return bundle({**dict(modules), "inside": INSIDE}, "inside")


@pytest.fixture(scope="session")
def pages(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of all tests."""
    return Pages(browser, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def pages_in() -> type[Pages]:
    """Pages in another browser: call it with the browser and a folder."""
    return Pages


@pytest.fixture
def show(pages: Pages) -> Callable[..., None]:
    """Open the page of a network, in a window of this size; with touch, as on a phone; with names of the classes."""

    def open_page(
        network: Network,
        data: Dataset,
        *,
        size: tuple[int, int] = (1440, 900),
        touch: bool = False,
        name: str = "run",
        fragment: str = "",
        names: tuple[str, ...] = (),
        train: Examples | None = None,
        has_all: bool = False,
    ) -> None:
        pages.leave(size, touch=touch)
        pages.resize(size, touch=touch)
        pages.load(pages.page(network, data, name, names, train, has_all=has_all), fragment)

    return open_page
