"""The guided story: captions with the numbers of the page, which press its own buttons and leave it as it was."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from page_actions import ESCAPE, LEFT, RIGHT, SIZES, Browser, ask, click, hidden, press, texts

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

TOLD = """(() => ({state: {story: state.story, stage: state.stage, panel: state.panel, taken: state.taken},
    words: byId("story-words").textContent, progress: byId("story-progress").textContent,
    lights: document.querySelectorAll("#diagram .spot").length, about: document.querySelectorAll(".is-about").length,
    focus: document.activeElement.id, isOpen: !byId("story").hidden, start: !byId("story-start").hidden}))()"""
"""State of the story on the page."""


def told(browser: Browser) -> dict[str, Any]:
    """Return the state of the story on the page, with its numbers."""
    found = ask(browser, TOLD)
    numbers = re.findall(r"[=,] ([+−]?\d+(?:\.\d+)?(?:e−?\d+)?)(?! \()", found["words"].replace("\u00a0", " "))
    return {**found, "numbers": [float(text.replace("−", "-")) for text in numbers]}


def forth(browser: Browser) -> dict[str, Any]:
    """Go to the next caption, and wait until the page has pressed its buttons."""
    browser.execute_async_script(
        """const done = arguments[0];
        byId("story-next").click();
        const wait = () => (state.busy === null ? done() : setTimeout(wait));
        setTimeout(wait)"""
    )
    return told(browser)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_caption_is_about_is_in_sight(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, size: tuple[int, int]
) -> None:
    """With the caption and its buttons, at all sizes: a light in the diagram, or a row of a table."""
    show(network, data, size=size, touch=size[0] < 1000)
    assert hidden(browser, "#story-start") == []
    browser.execute_script("byId('story-start').click()")

    for caption in range(1, 9):
        about = "#diagram .spot" if caption < 7 else ".is-about"
        assert (caption, hidden(browser, about, "#story-words", "#story-next", "#story-back", "#story-skip")) == (
            caption,
            [],
        )
        assert ask(browser, "state.story") == caption
        assert ask(browser, "document.documentElement.scrollWidth <= innerWidth")
        browser.execute_script("byId('story-next').click()")
    assert ask(browser, "[state.story, state.taken, scrollY]") == [0, 0, 0]


def test_the_numbers_of_the_story_are_those_of_numpy(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """They belong to the digit that is shown, and have the sign that is chosen."""
    show(network, data, fragment="#story=1")
    example, target = ask(browser, "[state.example, state.target]")
    exact = network.astype(np.float64)
    x, y = data.test.inputs(np.float64)[example][None], np.eye(10)[target]
    a = exact.forward(x)[0]
    z = np.log(a / (1 - a))
    wish = -2 * (a - y)
    others = np.delete(np.arange(10), target)
    strongest = others[np.abs(wish[others]).argmax()]
    assert told(browser)["words"].startswith(f"This {target} wants …")
    assert f"{a[target]:.3g}"[:4] in told(browser)["words"]

    assert forth(browser)["numbers"] == pytest.approx([z[target], a[target], 1, wish[target]], rel=6e-3)
    assert forth(browser)["state"]["stage"] == 3
    assert forth(browser)["numbers"] == pytest.approx([a[strongest], 0, wish[strongest]], rel=6e-3)
    browser.execute_script("set({sign: 'derivative'})")
    assert told(browser)["numbers"] == pytest.approx([a[strongest], 0, -wish[strongest]], rel=6e-3)
    browser.execute_script("set({sign: 'wish'})")
    sums = (wish * a * (1 - a)) @ exact.weights[2]
    assert forth(browser)["numbers"] == pytest.approx([sums[np.abs(sums).argmax()]], rel=6e-3)
    assert "13,002" in forth(browser)["words"]
    members = ask(browser, "membersOf({...state}).map(({example}) => example)")
    rows = ask(browser, "batchRows(content.network.drawn, membersOf({...state}), null)[0].values")
    assert forth(browser)["numbers"] == pytest.approx([-rows[members.index(example)]], rel=6e-3)

    xs, labels = data.test.inputs(np.float64)[members], data.test.labels[members]
    before, gradient = exact.backpropagate(xs, labels)
    exact.parameters -= 0.1 * gradient.vector
    after = exact.backpropagate(xs, labels)[0]
    last = forth(browser)
    assert last["state"]["taken"] == 1
    assert f"from {before:.4g} to {after:.4g}." in last["words"]
    assert last["progress"] == "8 of 8"


def test_keys_tell_the_story_and_escape_leaves_the_page_as_it_was(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The focus moves to the Next button, and returns; the step of the last caption is undone."""
    show(network, data)
    assert "New here?" in texts(browser, "#story-start")[0]
    own = ask(browser, "Array.from(network.parameters)")
    click(browser, "#story-start")
    assert told(browser)["focus"] == "story-next"

    press(browser, "#story-next", 2 * RIGHT)
    assert [told(browser)[key] for key in ("progress", "lights")] == ["3 of 8", 3]
    press(browser, "#story-next", LEFT)
    assert told(browser)["state"] == {"story": 2, "stage": 1, "panel": "numbers", "taken": 0}
    press(browser, "#story-next", 6 * RIGHT)
    assert told(browser)["state"] == {"story": 8, "stage": 9, "panel": "batch", "taken": 1}
    press(browser, "#story-next", ESCAPE)

    left = told(browser)
    assert left["state"] == {"story": 0, "stage": 9, "panel": "numbers", "taken": 0}
    assert (left["lights"], left["about"], left["isOpen"], left["focus"]) == (0, 0, False, "story-start")
    assert ask(browser, "Array.from(network.parameters)") == own
    assert texts(browser, "#story-start") == ["Guided story"]
    press(browser, "#board", LEFT + LEFT)
    assert ask(browser, "state.stage") == 10  # the arrows have their own meaning again


def test_a_link_leads_to_a_caption_and_an_empty_board_gets_a_digit(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The story names what the board lacks in its middle."""
    show(network, data, fragment="#example=7&story=5")
    assert [told(browser)[key] for key in ("progress", "lights", "focus")] == ["5 of 8", 1, ""]
    assert ask(browser, "[state.example, state.stage]") == [7, 4]

    browser.execute_script("byId('clear').click()")
    assert "Draw something first." in told(browser)["words"]
    assert told(browser)["lights"] == 0
    assert forth(browser)["progress"] == "6 of 8"
    assert ask(browser, "state.example") == 7


@pytest.mark.parametrize(
    ("sizes", "settings", "titles"),
    [
        ([784, 10], {}, ["This Trouser wants …", "Its output", "Two avenues", "The other nine", "Average", "Step"]),
        ([784, 50, 10], {"activation": "relu", "cost": "cross-entropy"}, 8),
        ([784, 5, 5, 5, 10], {"activation": "tanh", "cost": "binary-cross-entropy"}, 8),
        ([784, 9, 10], {"output_activation": "identity"}, 8),
    ],
)
def test_captions_that_do_not_apply_are_left_out(
    browser: Browser,
    errors: None,
    show: Callable[..., None],
    data: Dataset,
    sizes: list[int],
    settings: dict[str, str],
    titles: int | list[str],
) -> None:
    """Without hidden layers nothing adds up. Names of classes, softmax and wide layers have their words and numbers."""
    names = ("Zero", "Trouser", *"CDEFGHIJ")
    example = int(np.flatnonzero(data.test.labels == 1)[0])
    network = Network(sizes, rng=np.random.default_rng(1), **settings)
    show(network, data, names=names, fragment=f"#example={example}&story=1")

    found = [told(browser)]
    while found[-1]["progress"].split()[0] != found[-1]["progress"].split()[-1]:
        found.append(forth(browser))

    shown = [re.split(r"(?<=…) | (?=Output|Its|What|They|Neuron|Now|Each|A step)", one["words"])[0] for one in found]
    assert len(found) == titles or shown == titles
    assert all(one["lights"] + one["about"] >= 1 for one in found)
    assert not any(re.search("NaN|undefined|not finite", one["words"]) for one in found)
    assert all(one["words"].count(". ") <= 2 for one in found)
