"""Debian's Chromium, driven by the driver that comes with it: nothing is downloaded for it, and it asks nobody."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.support.debian import install

PACKAGES: Final = ("chromium", "chromium-driver", "fonts-dejavu-core")

#: No sandbox of its own, which a container's root cannot have: it opens pages that the tests have made, and no others.
_OPTIONS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--no-first-run",
)  # fmt: skip


def require_chromium() -> None:
    """Have Chromium and its driver: skip where there is none, but in CI install them."""
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return
    if not (os.environ.get("CI") or os.environ.get("BROWSER_TESTS")):
        pytest.skip(f"needs a browser: apt-get install {' '.join(PACKAGES)}")
    install(*PACKAGES)


@contextmanager
def running_browser(width: int = 1280, height: int = 900, *, reaches: str = "") -> Iterator[webdriver.Chrome]:
    """Run a browser with a window of this size, without a screen, and without a network but for what it `reaches`."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with TemporaryDirectory(prefix="browser-") as profile:
        network = f"--host-resolver-rules=MAP * ~NOTFOUND{f', EXCLUDE {reaches}' if reaches else ''}"
        for option in (*_OPTIONS, network, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
            options.add_argument(option)
        driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
        try:
            yield driver
        finally:
            driver.quit()


def emulate(browser: webdriver.Chrome, *, dark: bool = False, width: int = 0, height: int = 0, scale: int = 1) -> None:
    """Have a page believe in another screen (0: as the window is) and another time of day."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    if not width:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        return
    screen = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def complaints(browser: webdriver.Chrome) -> list[Any]:
    """Return what the browser has to say of a page since the last call: errors of scripts, what the page may not do."""
    return [entry["message"] for entry in browser.get_log("browser")]


def url(path: Path) -> str:
    """Return a file's address, as a double click opens it."""
    return path.absolute().as_uri()
