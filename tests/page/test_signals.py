"""Signals that move in the diagram, and none for readers who asked for less motion."""

from collections.abc import Callable, Iterator

import pytest
from page_actions import Browser, ask, click

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

WATCH = """window.moved = [];
new MutationObserver((changes) => {
    for (const {addedNodes} of changes) moved.push(...[...addedNodes].flatMap((one) =>
        one.matches?.(".signal, .signal-ring") ? [one.getAttribute("class")] : []));
}).observe(byId("diagram"), {childList: true, subtree: true})"""

SETTLED = """const done = arguments[0];
const wait = () => (document.querySelector(".signals:empty") ? done() : setTimeout(wait, 10));
wait()"""
"""Wait until the signals of the first digit have ended."""


def ended(browser: Browser) -> list[str]:
    """Wait until nothing moves, and return the kinds of what moved."""
    browser.execute_async_script(
        """const done = arguments[0];
        const wait = () => document.querySelector(".signals > *") || !moved.length ? setTimeout(wait, 10) : done();
        wait()"""
    )
    return ask(browser, "moved.splice(0)")


@pytest.fixture
def _motion(browser: Browser) -> Iterator[None]:
    """A reader who did not ask for less motion."""
    features = [{"name": "prefers-reduced-motion", "value": "no-preference"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_cdp_cmd("Animation.enable", {})
    browser.execute_cdp_cmd("Animation.setPlaybackRate", {"playbackRate": 5})
    yield
    browser.execute_cdp_cmd("Animation.setPlaybackRate", {"playbackRate": 1})
    browser.execute_cdp_cmd("Animation.disable", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.usefixtures("_motion")
@pytest.mark.parametrize("hidden", [(16, 16), ()])
def test_signals_move_forwards_with_a_digit_and_backwards_with_a_step(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset, hidden: tuple[int, ...], rng: object
) -> None:
    """Along edges in two colours, or as a ring around the neurons of a stage; they leave nothing behind."""
    show(Network([784, *hidden, 10], rng=rng), data)
    browser.execute_async_script(SETTLED)
    browser.execute_script(WATCH)

    click(browser, "#next")
    assert set(ended(browser)) == {"signal plus", "signal minus"}
    click(browser, "#step-back")
    assert ended(browser) == 10 * ["signal-ring"]
    click(browser, "#step-back")
    assert ended(browser) == 10 * ["signal-ring"]
    click(browser, "#step-back")
    assert set(ended(browser)) <= {"signal plus", "signal minus"}
    click(browser, "#step-back")
    assert set(ended(browser)) <= {"signal plus", "signal minus"}


def test_nothing_moves_for_readers_who_asked_for_less_motion(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Everything else is shown at once, as always."""
    show(network, data)
    browser.execute_script(WATCH)
    click(browser, "#next")
    ask(browser, "state.example")
    click(browser, "#step-back")
    ask(browser, "state.stage")
    browser.execute_async_script("setTimeout(arguments[0], 250)")
    assert ask(browser, "moved") == []
