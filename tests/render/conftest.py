"""One Chromium for all browser tests."""

import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None and sys.platform == "linux":
        pytest.fail("these tests need Chromium: make test installs it, or apt-get install chromium")
    # On macOS and Windows Chrome is not on the path; Playwright knows where it is.
    chosen = {"channel": "chrome"} if path is None else {"executable_path": path}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**chosen, args=_FLAGS.split())
        yield chromium
        chromium.close()
