"""Firefox and WebKit under selenium, for the main paths through the page."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from page_actions import Browser

START = 60.0
"""Longest time in seconds that a browser may take to start, or to answer."""

MARIONETTE = {
    "newSession": "WebDriver:NewSession",
    "quit": "Marionette:Quit",
    "get": "WebDriver:Navigate",
    "setWindowRect": "WebDriver:SetWindowRect",
    "getElementRect": "WebDriver:GetElementRect",
    "clickElement": "WebDriver:ElementClick",
    "actions": "WebDriver:PerformActions",
    "w3cExecuteScript": "WebDriver:ExecuteScript",
    "w3cExecuteScriptAsync": "WebDriver:ExecuteAsyncScript",
    "setTimeouts": "WebDriver:SetTimeouts",
    "screenshot": "WebDriver:TakeScreenshot",
}
"""Commands of selenium, and their names in Firefox's own protocol."""


class Marionette:
    """Connection to Firefox by its own protocol, where selenium has one to a driver: Firefox needs no geckodriver."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), START)
        self.answers = self.connection.makefile("rb")
        self.sent = 0
        self._receive()  # a greeting

    def execute(self, command: str, parameters: dict[str, Any] | None) -> dict[str, Any]:
        """Send a command of selenium and return the answer as a driver would give it."""
        from selenium.common.exceptions import WebDriverException

        given = {key: value for key, value in (parameters or {}).items() if key != "sessionId"}
        if command == "newSession":
            given = {"capabilities": {}}
        if command == "quit":
            given = {"flags": ["eForceQuit"]}
        self.sent += 1
        message = json.dumps([0, self.sent, MARIONETTE[command], given]).encode()
        self.connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error:
            raise WebDriverException(f"{error['error']}: {error['message']}")
        only_value = result is not None and list(result) == ["value"]
        return {"value": result["value"] if only_value else result}

    def _receive(self) -> Any:
        """Return one message: its length, a colon, and JSON."""
        length = b""
        while (digit := self.answers.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox closed the connection")
            length += digit
        return json.loads(self.answers.read(int(length)))

    def close(self) -> None:
        """Close the connection."""
        self.answers.close()
        self.connection.close()


@contextmanager
def firefox(folder: Path) -> Iterator[Browser]:
    """Start Firefox with a new profile in this folder, and reduced motion. Skip the test if it is not installed."""
    binary = shutil.which("firefox-esr") or shutil.which("firefox")
    if binary is None:
        pytest.skip("needs Firefox on the PATH (Debian: firefox-esr)")
    webdriver = pytest.importorskip("selenium.webdriver")
    preferences = {"marionette.port": 0, "ui.prefersReducedMotion": 1}
    lines = (f'user_pref("{name}", {value});\n' for name, value in preferences.items())
    (folder / "user.js").write_text("".join(lines), encoding="utf-8")
    command = [binary, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port = int(_waited_for(folder / "MarionetteActivePort"))
            driver = webdriver.Remote(Marionette(port), options=webdriver.FirefoxOptions())
            yield driver
            driver.quit()
        except BaseException:
            process.kill()
            raise


def _waited_for(file: Path) -> str:
    """Return a file's text once it has one."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        if file.exists() and (text := file.read_text(encoding="utf-8")):
            return text
        time.sleep(0.05)
    pytest.fail(f"{file.name} was not written in {START:g} s")


WITHOUT_GPU = {"WEBKIT_DISABLE_DMABUF_RENDERER": "1"}
"""Environment in which WebKit draws its first frame at once on a machine without a GPU, and not after 5 s."""


@contextmanager
def webkit(folder: Path) -> Iterator[Browser]:
    """Start WebKitGTK's MiniBrowser on its own display, with reduced motion. Skip the test if a part is missing."""
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    if driver is None or display is None or not browsers:
        pytest.skip("needs WebKitWebDriver, MiniBrowser and Xvfb (Debian: webkit2gtk-driver, xvfb)")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.remote.client_config import ClientConfig
    from selenium.webdriver.remote.remote_connection import RemoteConnection

    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(browsers[-1])
    options.add_argument("--automation")
    (folder / "gtk-3.0").mkdir()
    (folder / "gtk-3.0/settings.ini").write_text("[Settings]\ngtk-enable-animations=0\n", encoding="utf-8")
    with _display(display) as number:
        own = {"DISPLAY": number, "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
        service = webdriver.WebKitGTKService(driver, env={**os.environ, **own, **WITHOUT_GPU})
        service.start()
        try:
            connection = RemoteConnection(client_config=ClientConfig(service.service_url))
            with webdriver.Remote(connection, options=options) as browser:
                yield browser
        finally:
            service.stop()


@contextmanager
def _display(server: str) -> Iterator[str]:
    """Start an X server without a screen and return the name of its display."""
    read, write = os.pipe()
    command = [server, "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as process:
        os.close(write)
        try:
            with os.fdopen(read) as number:
                yield f":{number.readline().strip()}"
        finally:
            process.terminate()


BROWSERS = {"firefox": firefox, "webkit": webkit}
