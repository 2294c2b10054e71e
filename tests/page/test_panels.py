"""Every panel in every state, for networks and datasets that are unusual: nothing breaks."""

from collections.abc import Callable

import numpy as np
import pytest
from page_actions import Browser, ask, click, draw_a_seven

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset, Examples

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("sizes", "settings", "count"),
    [
        ([6, 4], {}, 12),
        ([6, 4], {"cost": "cross-entropy"}, 3),
        ([6, 3, 3, 3, 3, 4], {"activation": "relu", "cost": "binary-cross-entropy"}, 20),
        ([6, 50, 4], {"activation": "tanh"}, 30),
    ],
)
def test_every_panel_works_at_every_stage(
    browser: Browser,
    errors: None,
    show: Callable[..., None],
    rng: np.random.Generator,
    sizes: list[int],
    settings: dict[str, str],
    count: int,
) -> None:
    """With a digit, a drawing that has a target and one that has none, an empty board, and something chosen."""
    examples = Examples(rng.integers(0, 256, (count, 2, 3), np.uint8), np.arange(count, dtype=np.uint8) % 4)
    show(Network(sizes, rng=rng, **settings), Dataset("tiny", examples, examples, 4), train=examples)
    everything = """let count = 0;
    for (const panel of ["numbers", "chain", "edge", "step", "batch", "weights", "training", null]) {
        for (let stage = 0; stage <= (computed().y ? stages.length : 0); stage += arguments[0]) {
            const chosen = [null, {layer: 1, j: 0, k: null}, {layer: network.L, j: 3, k: 1}];
            set({panel, stage, chosen: chosen[count++ % 3]}); // each two of the three meet
            renderAtOnce();
        }
    }"""

    browser.execute_script(everything, 1)
    draw_a_seven(browser)
    assert ask(browser, "state.target") is None
    browser.execute_script(everything, 1)
    click(browser, "#targets label:nth-of-type(2)")
    assert ask(browser, "[state.example, state.target]") == [None, 1]
    browser.execute_script(everything, 2)
    ask(browser, "board.clear()")
    browser.execute_script(everything, 1)

    assert ask(browser, "document.querySelectorAll('[data-key]').length") > 0
