"""A mini-batch in the page: the wishes of eight digits, their mean, and what a step for one or for all does."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from page_actions import Browser, ask, assert_page_shows, assert_shows, click, open_panel, texts

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser


def forecast(browser: Browser, what: str) -> list[float]:
    """Wait for a row of the forecast: now, after a step for one digit, and after a step for all."""
    for _ in range(200):
        found = texts(browser, f"#forecast [data-what={what}] td")
        if "…" not in found:
            return [float(text.lstrip("↑↓ ").rstrip(" %")) for text in found]
        time.sleep(0.02)
    raise AssertionError(found)


def test_the_mean_of_a_mini_batch_equals_backpropagation_of_it(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """All parameters; and in the table, each digit's derivatives in the sign that is chosen, with triangles."""
    show(network, data)
    open_panel(browser, "batch")
    members, mean, rows = browser.execute_script(
        """renderAtOnce();
        const members = membersOf({...state}), rows = batchRows(content.network.drawn, members, null);
        return [members.map(({example, label}) => [example, label]), [...batchGradient(network, members).vector],
            rows.map(({address: {layer, j, k}, values, mean}) => [layer, j, k, values, mean])]"""
    )
    exact = network.astype(np.float64)
    examples, labels = (np.array(one) for one in zip(*members, strict=True))
    x = data.test.inputs(np.float64)[examples]

    assert len(set(labels.tolist())) == 8
    assert ask(browser, "state.example") in examples.tolist()
    assert mean == pytest.approx(exact.backpropagate(x, labels)[1].vector, rel=1e-10, abs=1e-15)
    gradients = [exact.backpropagate(x[i : i + 1], labels[i : i + 1])[1] for i in range(8)]
    assert {layer for layer, *_ in rows} == {1, 2, 3}
    for layer, j, k, values, mean_of_row in rows:
        own = [g.biases[layer - 1][j] if k is None else g.weights[layer - 1][j, k] for g in gradients]
        assert values == pytest.approx(own, rel=1e-10, abs=1e-15)
        assert mean_of_row == pytest.approx(np.mean(own), rel=1e-9, abs=1e-15)
    titles = ask(browser, "[...document.querySelectorAll('#batch-table td[data-what=one]')].map((one) => one.title)")
    assert_shows(titles, [-value for row in rows for value in row[3]])
    shown = texts(browser, "#batch-table tbody tr:first-child td")
    assert all(("▲" in text) == (value < 0) for text, value in zip(shown, [*rows[0][3], rows[0][4]], strict=True))
    ask(browser, "set({sign: 'derivative'})")
    titles = ask(browser, "[...document.querySelectorAll('#batch-table td[data-what=one]')].map((one) => one.title)")
    assert_shows(titles, [value for row in rows for value in row[3]])


@pytest.mark.parametrize(("button", "place"), [("#batch-one", 1), ("#batch-all", 2)])
def test_what_a_step_is_forecast_to_do_it_does(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset, button: str, place: int
) -> None:
    """To the digit that is shown, to the mini-batch, and to all digits of the page."""
    show(network, data)
    open_panel(browser, "batch")
    example, members, rate = ask(
        browser, "[state.example, membersOf({...state}).map(({example}) => example), state.rate]"
    )
    exact = network.astype(np.float64)
    x, labels = data.test.inputs(np.float64), data.test.labels

    def figures() -> dict[str, float]:
        right = (exact.forward(x).argmax(axis=1) == labels).mean()
        costs = [exact.backpropagate(x[some], labels[some])[0] for some in ([example], members, slice(None))]
        return {"own": costs[0], "batch": costs[1], "rest": costs[2], "correct": 100 * right}

    before = figures()
    some = [example] if place == 1 else members
    exact.parameters -= rate * exact.backpropagate(x[some], labels[some])[1].vector
    after = figures()
    for what in before:
        found = forecast(browser, what)
        assert [found[0], found[place]] == pytest.approx([before[what], after[what]], rel=1e-3)

    click(browser, button)

    assert_page_shows(browser, "#cost", [after["own"]])
    assert forecast(browser, "rest")[0] == pytest.approx(after["rest"], rel=1e-3)
    found = ask(browser, "Array.from(network.parameters)")
    assert found == pytest.approx(exact.parameters, rel=1e-9, abs=1e-12)
    click(browser, "#batch-reset")
    assert ask(browser, "state.taken") == 0


def test_columns_and_rows_of_the_table_lead_to_digits_and_weights(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """A digit of the table, shown large, keeps its place; other digits keep the one that is shown."""
    show(network, data)
    open_panel(browser, "batch")
    before = ask(browser, "membersOf({...state}).map(({example}) => example)")

    click(browser, "#batch-table th:nth-of-type(3) button")

    assert ask(browser, "state.example") == before[2]
    assert ask(browser, "membersOf({...state}).map(({example}) => example)") == before
    assert ask(browser, "document.querySelector('#batch-table [aria-pressed=true]').dataset.example") == str(before[2])
    click(browser, "#batch-table tbody tr:nth-of-type(2) button")
    assert ask(browser, "state.chosen.k") is None
    assert ask(browser, "document.querySelectorAll('#batch-table tbody tr').length") == 6
    click(browser, "#batch-other")
    after = ask(browser, "membersOf({...state}).map(({example}) => example)")
    assert after != before
    assert after[0] == before[2]
    assert len(set(after)) == 8
