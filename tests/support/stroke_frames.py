"""Draw strokes on a page in Chromium, a move of the pointer in each frame, and print the main thread's time a frame.

python tests/support/stroke_frames.py page.html
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selenium import webdriver

STROKES = 7
"""Number of strokes. The first one warms up; the best of the others counts, because other programs only add time."""

FRAMES = 100

PARTS = {"all": "TaskDuration", "script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration"}
"""Names of the parts of a frame, and of Chromium's counters of them. What is left of "all" is mostly painting."""

STROKE = """
const [frames, phase, done] = arguments;
const board = document.getElementById("board");
const { left, top, width, height } = board.getBoundingClientRect();
const send = (type, x, y) => {
  const at = { clientX: left + x * width, clientY: top + y * height };
  board.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, buttons: 1, bubbles: true, ...at }));
};
board.setPointerCapture = () => {}; // no such pointer exists
document.getElementById("clear").click();
send("pointerdown", 0.5, 0.2);
let frame = 0;
const move = () => {
  frame += 1;
  send("pointermove", 0.5 + 0.3 * Math.sin((7 * frame) / frames + phase), 0.2 + (0.6 * frame) / frames);
  if (frame < frames) return requestAnimationFrame(move);
  send("pointerup", 0.5, 0.8);
  done();
};
requestAnimationFrame(move);
"""


def main(page: Path) -> None:
    """Print the milliseconds of a frame, and of its parts."""
    with open_page(page) as chrome:
        strokes = [stroke(chrome, phase) for phase in range(STROKES)]
    best = min(strokes[1:], key=lambda each: each["all"])
    print(", ".join(f"{name} {milliseconds:.1f} ms" for name, milliseconds in best.items()))  # noqa: T201 - a script


def open_page(page: Path) -> webdriver.Chrome:
    """Open a page in a window of a laptop."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1366,768"):
        options.add_argument(f"--{argument}")
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    chrome.execute_cdp_cmd("Performance.enable", {})
    chrome.get(page.resolve().as_uri())
    return chrome


def stroke(chrome: webdriver.Chrome, phase: int) -> dict[str, float]:
    """Draw a stroke, and return the mean milliseconds of a frame, by part."""
    before = counters(chrome)
    chrome.execute_async_script(STROKE, FRAMES, phase)
    after = counters(chrome)
    return {part: 1000 * (after[name] - before[name]) / FRAMES for part, name in PARTS.items()}


def counters(chrome: webdriver.Chrome) -> Mapping[str, Any]:
    """Return Chromium's counters, in seconds."""
    metrics = chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
