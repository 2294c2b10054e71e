"""The page as it opens: labels that can be read, an empty board without an answer, words for any dataset."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from page_actions import SIZES, Browser, ask, open_panel, texts

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

PANELS = ["numbers", "chain", "edge", "step", "batch", "weights", "training"]
"""Panels of the drawer."""

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "WMWMWMWMW", "Sneaker", "Bag", "Ankle boot")

LABELS = """(() => {
  const size = ({width, left, right}) => ({width, left, right});
  const boxes = (look) => [...document.querySelectorAll(look)].map((one) => size(one.getBoundingClientRect()));
  return {names: boxes(".output-name"), values: boxes(".output-value"),
      diagram: size(byId("diagram-box").getBoundingClientRect())};
})()"""


@pytest.mark.parametrize("names", [(), CLOTHES])
def test_names_and_values_of_outputs_are_whole_and_apart(
    browser: Browser,
    show: Callable[..., None],
    pages: Any,
    network: Network,
    data: Dataset,
    names: tuple[str, ...],
) -> None:
    """Values from 0.9 to 1e-30, beside narrow and wide names: none is cut off, and none touches its name."""
    show(network, data, names=names)
    activations = [0.9, 0.000888, 0.000188, 8.88e-5, 8.88e-30, 1e-4, 0.5, 0.05, 0.999999, 0]
    ask(browser, "computed().trace.A[network.L].set(arguments[0])", activations)
    for size in (320, 640), (360, 740), (1280, 720):
        pages.resize(size, touch=size[0] < 1000)
        found = ask(browser, LABELS)

        assert texts(browser, ".output-value")[1].startswith("0.0008")
        assert found["diagram"]["width"] < size[0]
        for name, value in zip(found["names"], found["values"], strict=True):
            assert value["width"] > 0
            assert name["right"] + 2 < value["left"]
            assert value["right"] <= found["diagram"]["right"] + 0.5


@pytest.mark.parametrize("size", [(360, 740), (1280, 720)])
def test_an_empty_board_has_no_answer(
    browser: Browser,
    errors: None,
    show: Callable[..., None],
    network: Network,
    data: Dataset,
    size: tuple[int, int],
) -> None:
    """No value, no light, no prediction, no cost and no step, with a target or without; a digit brings them back."""
    show(network, data, size=size, touch=size[0] < 1000, fragment="#stage=4&panel=numbers")
    ask(browser, "byId('clear').click()")
    for target in (None, 3):
        ask(browser, "state.target = arguments[0], set({})", target)
        for panel in PANELS:
            open_panel(browser, panel)
        open_panel(browser, "numbers")
        ask(browser, "byId('step-back').click(), byId('batch-one').click(), byId('take-step').click()")

        assert set(texts(browser, ".output-value")) == {""}
        assert texts(browser, ".output-name.answer") == []
        assert ask(
            browser, "[...document.querySelectorAll('.light')].every((one) => one.matches('[fill-opacity=\"0\"]'))"
        )
        assert set(texts(browser, "#outputs tbody td")) == {"–"}
        browser.execute_script("document.querySelector('#stage-formula .term').focus()")
        assert texts(browser, "#stage-formula .is-number") == []
        assert ask(browser, "[state.stage, state.taken, byId('cost-line').textContent]") == [0, 0, ""]
        assert ask(browser, "byId('hint').innerText").endswith("Draw here")

    ask(browser, "byId('next').click()")

    assert "" not in texts(browser, ".output-value")
    assert len(texts(browser, ".output-name.answer")) == 1


def test_the_words_suit_a_dataset_with_class_names(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """No text and no label of a control calls an image of clothes a digit, in any panel and stage."""
    show(network, data, names=CLOTHES, train=data.train)
    said = ask(
        browser,
        """arguments[0].flatMap((panel) => [0, 2, 10].map((stage) => {
            set({panel, stage, chosen: {layer: 1, j: 2, k: 0}, hasLegend: true});
            renderAtOnce();
            const labels = [...document.querySelectorAll("[aria-label], [title]")];
            return [document.querySelector("main").innerText, document.querySelector("header").innerText,
                ...labels.map((one) => one.getAttribute("aria-label") ?? one.title)].join(" ");
        }))""",
        PANELS,
    )
    assert len(said) == 3 * len(PANELS)
    assert [found[0] for text in said if (found := re.search(".{20}digit.{9}", text, re.IGNORECASE))] == []

    assert ask(browser, "byId('example-name').textContent").startswith("test image ")


def test_buttons_do_not_touch_what_is_above_them(
    browser: Browser, show: Callable[..., None], pages: Any, network: Network, data: Dataset
) -> None:
    """The digits, Undo and Clear, and what the network says below the board."""
    show(network, data)
    boxes = """["board", "answer", "targets", "undo", "previous"].map((id) => {
        const {left, right, top, bottom} = byId(id).getBoundingClientRect(); return [left, right, top, bottom] })"""
    for size in SIZES:
        pages.resize(size, touch=size[0] < 1000)
        found = ask(browser, boxes)
        for one in found:
            for other in found:
                if one is not other and one[0] < other[1] and other[0] < one[1]:
                    assert one[3] + 3 <= other[2] or other[3] + 3 <= one[2]


def test_a_long_address_that_means_nothing_is_named_in_short(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """No name and no value of 5,000 letters fills the window; a name that is empty is not left out."""
    show(network, data, size=(360, 740), touch=True, fragment=f"#{'x' * 5000}&stage={'9' * 5000}&=")
    note = ask(browser, "byId('moment-note').textContent")

    assert "xxxx…" in note
    assert "stage=9999" in note
    assert "= (example," in note
    assert len(note) < 400
    assert ask(browser, "document.documentElement.scrollWidth") == 360


def test_the_card_leaves_the_controls_beside_the_network_free(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """With an edge low in the network, in a low window: the card is over the network, not over digits or tables."""
    show(network, data, size=(1280, 680), fragment="#stage=6&edge=2:14,8&panel=numbers")
    boxes = """["card", "network", "targets", "panels"].map((id) => byId(id).getBoundingClientRect())
        .map(({left, right}) => [left, right])"""
    card, frame, targets, panels = ask(browser, boxes)

    assert card[1] > card[0]
    assert frame[0] <= card[0]
    assert card[1] <= frame[1]
    assert targets[1] < card[0]
    assert card[1] < panels[0]
