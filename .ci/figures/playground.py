"""Pictures of the playground for docs/images, of the real one in Chromium with the bundled model: `make docs-figures`.

playground-VIEW-light.webp, playground-VIEW-dark.webp: its views. playground.webp: a short use of it, as an animation.
"""

import io
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, sync_playwright

import attnscope as ats
from attnscope.serve import answers
from attnscope.serve.guard import Door
from attnscope.serve.running import listen, server
from attnscope.serve.session import Session

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ENGLISH = "The Eiffel Tower is in Paris. The capital of Japan is"
JAPANESE = "昔々、あるところに、おじいさんとおばあさんが住んでいました。"
PASSAGES = ("The castle was built by Lord Ashby in 1342.", "The river below it froze in the winter of 1608.")
# The state of each view, as the page's address holds it, and what has to be there before its picture is taken.
VIEWS: dict[str, tuple[dict[str, object], str]] = {
    "importance": ({"text": JAPANESE}, "[data-part=importance-holder] .u"),
    "attention": ({"text": ENGLISH, "panel": "attention", "word": ENGLISH.index("Japan")}, "[data-part=strips] button"),
    "without": ({"text": ENGLISH, "panel": "without", "gone": "w10,h15.7"}, "[data-part=less-tokens] li"),
    "passages": (
        {
            "kind": "passages", "text": "When was the castle built?", "panel": "without", "gone": "s0",
            "parts": json.dumps([{"role": "user", "text": passage} for passage in PASSAGES]),
        },
        "[data-part=less-tokens] li",
    ),
    "generate": ({"text": ENGLISH, "panel": "generate"}, "[data-part=generate]"),
    "compare": (
        {"text": ENGLISH, "panel": "compare", "otherText": ENGLISH.replace("Japan", "Italy")},
        "[data-part=difference-rows] tr",
    ),
}  # fmt: skip
WIDE, HIGH = 1200, 800
# Of the animation, in pixels.
SIZE = (960, 640)


@contextmanager
def playground() -> Iterator[str]:
    """The address of a playground of the bundled model."""
    answers.LONG = 1e9  # a busy machine is asked about nothing
    listening = listen("127.0.0.1", 0)
    door = Door("t" * 43, listening.getsockname()[1])
    session = Session([ats.load()])
    ours = server(session, door)
    thread = threading.Thread(target=ours.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{door.port}/?token={door.token}"
    ours.should_exit = True
    thread.join(10)
    session.close()


def opened(browser: Browser, address: str, scheme: str, scale: float = 1.0, **state: object) -> Page:
    page = browser.new_page(viewport={"width": WIDE, "height": HIGH}, color_scheme=scheme, device_scale_factor=scale)  # type: ignore[arg-type]
    page.set_default_timeout(60_000)
    page.goto(f"{address}#{urlencode(state)}")
    return page


def settled(page: Page) -> None:
    """Nothing is on its way any more, and all of it is painted."""
    page.wait_for_timeout(150)
    while page.locator("[aria-busy]").count():
        page.wait_for_timeout(50)
    page.wait_for_timeout(250)


def picture(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def views(browser: Browser, address: str) -> None:
    for name, (state, there) in VIEWS.items():
        for scheme in ("light", "dark"):
            page = opened(browser, address, scheme, 1.25, **state)
            page.locator(there).first.wait_for()
            if name == "generate":
                page.locator("[data-part=count]").fill("12")
                page.locator("[data-part=generate]").click()
                page.locator("[data-part=tokens-holder] .u").first.wait_for()
            settled(page)
            page.evaluate("document.activeElement.blur()")
            if state.get("panel"):
                page.locator("nav.panels").evaluate("(nav) => scrollBy(0, nav.getBoundingClientRect().top - 8)")
            page.wait_for_timeout(200)
            picture(page).save(IMAGES / f"playground-{name}-{scheme}.webp", quality=80, method=6)
            page.close()


class Film:
    """Frames of a page with a pointer in them, each shown for some milliseconds."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.lasting: list[int] = []
        self.at = (WIDE * 0.62, HIGH * 0.9)

    def show(self, milliseconds: int) -> None:
        frame = picture(self.page)
        x, y = self.at
        arrow = [(0, 0), (0, 21), (5, 17), (9, 25), (13, 23), (9, 15), (15, 15)]
        ImageDraw.Draw(frame).polygon([(x + a, y + b) for a, b in arrow], fill="black", outline="white", width=1)
        self.frames.append(frame.resize(SIZE, Image.Resampling.LANCZOS))
        self.lasting.append(milliseconds)

    def click(self, target: Locator) -> None:
        """The pointer goes there, and what comes of it is shown."""
        box = target.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        begun = self.at
        for step in (0.4, 0.8, 1.0):
            self.at = (begun[0] + (x - begun[0]) * step, begun[1] + (y - begun[1]) * step)
            self.show(60)
        target.click()

    def type(self, text: str, at_once: int) -> None:
        """Typed, a few letters a frame; the results come while it is."""
        for begin in range(0, len(text), at_once):
            self.page.keyboard.insert_text(text[begin : begin + at_once])
            settled(self.page)
            self.show(130)

    def save(self, path: Path) -> None:
        self.frames[0].save(
            path, save_all=True, append_images=self.frames[1:], duration=self.lasting, loop=0, quality=60, method=6,
            minimize_size=True,
        )  # fmt: skip


def film(browser: Browser, address: str) -> None:
    page = opened(browser, address, "light")
    made = Film(page)
    made.show(700)
    made.type(ENGLISH, 5)
    made.show(1600)
    made.click(page.locator("[data-part=importance-holder] .u", has_text="Japan"))
    page.locator("[data-part=strips] button").first.wait_for()
    settled(page)
    made.show(500)
    page.locator("nav.panels").evaluate("(nav) => scrollBy(0, nav.getBoundingClientRect().top - 8)")
    made.show(1500)
    made.click(page.locator("[data-part=strips] button").nth(12 * 9 + 4))
    settled(page)
    made.show(1500)
    made.click(page.locator("[data-panel=without]"))
    page.locator("[data-part=with-tokens] li").first.wait_for()
    settled(page)
    made.show(900)
    made.click(page.locator("[data-part=without-text] .u", has_text="Japan"))
    page.locator("[data-part=less-tokens] li").first.wait_for()
    settled(page)
    made.show(2000)
    page.evaluate("scrollTo(0, 0)")
    made.click(page.locator("[data-panel=importance]"))
    page.locator("[data-part=input]").click()
    page.keyboard.press("ControlOrMeta+a")
    made.type(JAPANESE, 4)
    made.show(2600)
    made.save(IMAGES / "playground.webp")
    page.close()


def main() -> None:
    with sync_playwright() as playwright, playground() as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        views(browser, address)
        film(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
