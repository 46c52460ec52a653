"""Pictures of the gallery's pages for docs/images, light and dark, in Chromium: `make docs-figures`."""

import importlib
import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parents[2] / "docs" / "images"
sys.path.insert(0, str(Path(__file__).parents[1]))
gallery = importlib.import_module("gallery")  # in .ci
WIDE, HIGH = 1000, 560


def picture(browser: Browser, path: Path, scheme: str) -> Image.Image:
    page = browser.new_page(viewport={"width": WIDE, "height": HIGH}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path.as_uri())
    page.wait_for_timeout(1500)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # What a short page leaves empty below is no part of its picture.
    bottom = min(HIGH, int(page.evaluate("document.body.getBoundingClientRect().bottom")) + 16)
    page.close()
    return shot.crop((0, 0, WIDE, bottom))


def main() -> None:
    """Take them."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, path in gallery.pages().items():
            for scheme in ("light", "dark"):
                picture(browser, path, scheme).save(IMAGES / f"gallery-{name}-{scheme}.webp", quality=80, method=6)
        browser.close()


if __name__ == "__main__":
    main()
