"""The moment in the page's address: a link leads to what its writer saw."""

import time
from collections.abc import Callable

import pytest
from page_actions import LEFT, Browser, ask, open_panel, press

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

MOMENT = "[state.example, state.target, state.stage, state.chosen, state.rate, state.sign, state.panel]"
EDGE = {"layer": 3, "j": 8, "k": 10}


def follow(browser: Browser, address: str) -> None:
    """Follow a link within the page, and wait until the page has read it."""
    browser.execute_async_script(
        """addEventListener("hashchange", () => arguments[1](), {once: true}); location.hash = arguments[0]""", address
    )


def written(browser: Browser, part: str) -> str:
    """Wait until the address says this."""
    for _ in range(100):
        if part in (address := browser.execute_script("return location.hash")):
            return address
        time.sleep(0.02)
    raise AssertionError(f"{part} is not in {address}")


def test_a_link_leads_to_a_moment_at_load_and_later(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """Digit, target, stage, edge and η; what a link leaves out is as when the page opens."""
    show(network, data, fragment="#example=18&target=3&stage=2&edge=3:8,10&eta=0.05&panel=edge")
    assert ask(browser, MOMENT) == [18, 3, 2, EDGE, 0.05, "wish", "edge"]
    assert ask(browser, "byId('moment-note').hidden")

    follow(browser, "#example=7&sign=derivative&edge=2:4&stage=5")

    bias = {"layer": 2, "j": 4, "k": None}
    assert ask(browser, MOMENT) == [7, int(data.test.labels[7]), 5, bias, 0.1, "derivative", "edge"]


def test_what_an_address_cannot_mean_is_named_and_ignored(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """One sentence says what; the rest of the link holds."""
    show(network, data)
    wrong = [
        "example=50",
        "example=-1",
        "target=10",
        "stage=99",
        "edge=4:0,0",
        "edge=3:8,16",
        "eta=0",
        "eta=",
        "sign=no",
    ]
    wrong += ["story=9", "x=1"]
    found = browser.execute_async_script(
        f"""const [wrong, done] = arguments, found = [];
        const follow = (place) => {{
            if (place === wrong.length) return done(found);
            addEventListener("hashchange", () => {{
                renderAtOnce();
                found.push([...{MOMENT}, byId("moment-note").textContent]);
                follow(place + 1);
            }}, {{once: true}});
            location.hash = `#${{wrong[place]}}&panel=step`;
        }};
        follow(0)""",
        wrong,
    )
    for said, (*_, chosen, rate, sign, panel, note) in zip(wrong, found, strict=True):
        assert [panel, rate, chosen, sign] == ["step", 0.1, None, "wish"]
        assert note.startswith(f"Ignored in the address of this page: {said.split('=')[0]}")
        assert note.replace("0.", "").count(".") == 1


def test_the_address_follows_what_is_shown_without_filling_the_history(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """A copy of it leads back to the same; a drawing has none."""
    show(network, data)
    entries = browser.execute_script("return history.length")
    assert browser.execute_script("return location.hash") == ""

    press(browser, "#board", 2 * LEFT)
    browser.execute_script(
        "setChosen({layer: 3, j: 8, k: 10}); set({rate: 0.2, chain: {layer: 1, k: null, by: -1, y: 0.3}})"
    )
    open_panel(browser, "weights")

    address = written(browser, "panel=weights")
    seen = ask(browser, MOMENT)
    assert address == f"#example={seen[0]}&target={seen[1]}&stage=2&edge=3:8,10&eta=0.2&chain=b1:-1:0.3&panel=weights"
    assert browser.execute_script("return history.length") == entries
    show(network, data, fragment=address)
    assert ask(browser, MOMENT) == seen
    ask(browser, "byId('clear').click()")
    assert "example" not in written(browser, "#edge=3:8,10&eta=0.2&chain=b1:-1:0.3&panel=weights")
