"""Screen and file say the same of their colours, in every state: numbers, unit, colours, caption."""

import re
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browsing import opened, ready
from drawn_maps import maps_of
from drawn_results import ENGLISH, JAPANESE, RESULTS, SEGMENTS, agreement_of, per_token, result
from playwright.sync_api import Browser, Page, expect

from attnscope.render import render

TEXT = "The castle stood on the hill above the river, and nobody had lived there since the war."
_SVG = "{http://www.w3.org/2000/svg}"
_SCREEN = """() => {
    const seen = (selector) => [...document.querySelectorAll(selector)].filter((holder) => holder.offsetParent);
    const text = (selector) => seen(selector).map((holder) => holder.textContent);
    const colours = (ramp) => getComputedStyle(ramp).backgroundImage.match(/rgb\\([^)]*\\)/g);
    return {
        ticks: text('[data-part=ticks] span'), unit: text('[data-part=unit]'), title: text('[data-part=top-title]'),
        ramps: [...document.querySelectorAll('.legend .ramp')].map(colours),
        caption: text('[data-part=caption], [data-part=notes]'),
        written: [document.querySelector('h1').textContent,
            ...seen('header ~ .facts div').map((fact) => fact.innerText.replace(/\\s+/g, ' ')),
            ...text('.provenance span')],
        notes: text('footer p:not(.provenance)'),
    };
}"""


# A browser refuses many downloads in a row: the file is taken where it would be handed over.
_SAVE = """async () => {
    const [make, click] = [URL.createObjectURL, HTMLAnchorElement.prototype.click];
    const handed = new Promise((resolve) => (URL.createObjectURL = (blob) => (resolve(blob), make(blob))));
    HTMLAnchorElement.prototype.click = () => undefined;
    document.querySelector('[data-part=save-svg]').click();
    const blob = await handed;
    await new Promise((resolve) => setTimeout(resolve));
    [URL.createObjectURL, HTMLAnchorElement.prototype.click] = [make, click];
    return blob.text();
}"""


def words(*texts: str) -> str:
    """On one line, however they were broken."""
    return " ".join(" ".join(texts).split())


def rgb(colour: str) -> str:
    if not colour.startswith("#"):
        return colour
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


class Saved:
    """What an exported SVG says."""

    def __init__(self, page: Page) -> None:
        self.root = ElementTree.fromstring(page.evaluate(_SAVE))
        self.legends = self.root.findall(f".//{_SVG}g[@class='legend']")
        self.ticks = [t.text or "" for legend in self.legends for t in legend.findall(f"{_SVG}text[@class='tick']")]
        self.units = [words(*(t.text or "" for t in g.findall(f"{_SVG}text[@class='unit']"))) for g in self.legends]
        self.subject = [t.text or "" for t in self.root.iter(f"{_SVG}text") if t.get("class") == "subject"]
        self.ramps = [[rgb(str(box.get("fill"))) for box in g.findall(f"{_SVG}rect")] for g in self.legends]
        captions = self.root.findall(f".//{_SVG}g[@class='caption']/{_SVG}text")
        self.caption = words(*(t.text or "" for t in captions))


def check_explorer(page: Page) -> dict[str, list[str]]:
    """Compares, and returns what is on the screen."""
    ready(page)
    saved = Saved(page)
    screen: dict[str, list[str]] = page.evaluate(_SCREEN)
    assert saved.ticks == screen["ticks"]
    assert saved.units == [words(*screen["unit"])]
    assert saved.ramps == screen["ramps"]
    assert saved.caption == words(*screen["caption"])
    assert screen["unit"][0] in screen["caption"][0]
    if saved.subject:
        assert saved.subject == screen["title"]
    else:
        assert all("Hover" in title for title in screen["title"])
    return screen


MAP_STATES = [
    f"scale={scale}&dir={way}&pin={pin}{more}"
    for scale, way, pin, more in product(("row", "map", "fixed"), ("to", "by"), (-1, 4), ("", "&renorm=1&curve=log"))
]
STATES = {
    "overview": ["", "curve=linear&palette=sea", "gamma=2&sort=sink", "curve=log&theme=dark"],
    "head": [
        *MAP_STATES, "unit=token&special=1&sinks=0", "from=layer", "from=chosen&chosen=0.1+1.2&pin=2", "theme=dark",
    ],
    "lines": [*MAP_STATES, "unit=token&special=1&sinks=0", "from=layer&pin=3", "palette=sea"],
    "text": [
        *MAP_STATES,
        *(f"pin=3&other=7&dir={way}&scale={scale}" for way in ("to", "by") for scale in ("row", "map", "fixed")),
        *(f"from=rollout&pin={pin}&scale={scale}" for pin in (-1, 5) for scale in ("row", "map", "fixed")),
        "unit=token&special=1&space=1", "from=layer", "pin=3&other=7&theme=dark", "sinks=0&pin=2",
    ],
    "flow": [
        f"scale={scale}&pin={pin}{more}"
        for scale, pin, more in product(("row", "map", "fixed"), (-1, 5), ("", "&sinks=0&curve=log"))
    ],
}  # fmt: skip


@pytest.mark.parametrize("view", STATES)
def test_every_view_of_the_explorer(browser: Browser, tmp_path: Path, view: str) -> None:
    seen = set()
    with opened(browser, tmp_path, render(maps_of(TEXT, layers=3, causal=True), ".html"), f"#view={view}") as page:
        for state in STATES[view]:
            page.evaluate(f"location.hash = '#view={view}&{state}'")
            page.wait_for_timeout(30)
            if view == "flow":
                expect(page.locator("[data-part=climbing]")).to_be_hidden()
            if "from=rollout&pin=5" in state:
                expect(page.locator("[data-part=top-rows] tr:visible").first).to_be_visible()
            screen = check_explorer(page)
            seen.add((*screen["unit"], *screen["ticks"]))
    assert len(seen) >= {"overview": 3, "flow": 3, "text": 14}.get(view, 8), "the states are to differ"


def test_what_the_legends_say(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(maps_of(TEXT, layers=3, causal=True), ".html"), "#view=text") as page:
        rest = check_explorer(page)
        assert rest["unit"][0].startswith("share of attention, mean over all words")
        page.locator("[data-part=text-query] .u").nth(5).hover()
        hovered = check_explorer(page)
        assert hovered["unit"][0].startswith("share of attention, scaled per row")
        page.evaluate("location.hash = '#view=text&pin=3&other=7'")
        page.wait_for_timeout(30)
        signed = check_explorer(page)
        assert signed["unit"][0].startswith("difference of attention")
        assert signed["ticks"][0] == "-" + signed["ticks"][2]
        assert signed["title"] == ["stood beside above attends to"]
        page.evaluate("location.hash = '#view=text&pin=5&from=rollout'")
        expect(page.locator("[data-part=top-rows] tr:visible").first).to_be_visible()
        rollout = check_explorer(page)
        assert rollout["unit"][0].startswith("share of rollout, scaled per row")
        assert "rollout, all layers" in rollout["caption"][0]
        page.evaluate("location.hash = '#view=head&pin=5&dir=by'")
        page.wait_for_timeout(30)
        # A map's colours follow each row's largest, whichever side is looked at.
        assert check_explorer(page)["unit"][0].startswith("share of attention, of each row’s largest")


def test_where_a_map_is_missing(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT * 12, layers=5, heads=2)
    full = len(render(maps, ".html"))
    budget = (full - 0.8 * (full - len(render(maps, ".html", max_mb=0.0001)))) / 1e6
    with opened(browser, tmp_path, render(maps, ".html", max_mb=budget), "#view=head&layer=1") as page:
        expect(page.locator("[data-part=missing]")).to_be_visible()
        page.wait_for_timeout(200)
        assert check_explorer(page)["unit"][0].startswith("share of attention, of each head’s largest")


def check_reading(page: Page) -> tuple[Saved, dict[str, list[str]]]:
    saved = Saved(page)
    screen: dict[str, list[str]] = page.evaluate(_SCREEN)
    assert saved.ramps == screen["ramps"]
    assert words(*(" · ".join(screen["written"]).split())) in saved.caption
    for note in screen["notes"]:
        assert words(note) in saved.caption
    return saved, screen


READ = {
    "attribution": RESULTS["english"],
    "japanese": RESULTS["japanese"],
    "signed": RESULTS["signed"],
    "right to left": RESULTS["arabic"],
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_result(browser: Browser, tmp_path: Path, name: str, scheme: str) -> None:
    with opened(browser, tmp_path, render(READ[name], ".html"), color_scheme=scheme) as page:
        for unit in ("word", "token"):
            page.get_by_label(f"{unit}s", exact=True).check()
            saved, screen = check_reading(page)
            assert saved.ticks == screen["ticks"]
            assert saved.units == screen["unit"]
            assert saved.units[0].endswith(f"per {unit}")


@pytest.mark.parametrize(
    ("text", "pattern", "signed"), [(ENGLISH, r"\S+", True), (ENGLISH, r"\S+", False), (JAPANESE, SEGMENTS, True)]
)
def test_results_by_token(browser: Browser, tmp_path: Path, text: str, pattern: str, signed: bool) -> None:
    drawn = per_token(result(text, pattern=pattern), 4, signed=signed)
    seen = set()
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        for target, span in product(range(4), ("own", "one")):
            page.evaluate(f"location.hash = '#target={target}&range={span}'")
            expect(page.locator("[data-part=targets] input").nth(target)).to_be_checked()
            saved, screen = check_reading(page)
            assert saved.ticks == screen["ticks"]
            assert saved.units == screen["unit"]
            assert page.locator("[data-part=value]").inner_text() in saved.caption
            seen.add((*saved.ticks, *saved.units))
    assert len(seen) >= 7


@pytest.mark.parametrize(("text", "pattern"), [(ENGLISH, r"\w+|[^\w\s]"), (JAPANESE, SEGMENTS)], ids=["en", "ja"])
def test_an_agreement(browser: Browser, tmp_path: Path, text: str, pattern: str) -> None:
    drawn = agreement_of(text, pattern)
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        saved, screen = check_reading(page)
        assert saved.units == ["least … most", "against … for"]
        assert saved.units == page.locator(".legend .ramp + p").all_inner_texts()
        assert screen["unit"][0] in saved.caption
        written = words("".join(saved.root.itertext()))
        for holder in page.locator(".map h2, .tables caption, .tables th, .tables td").all():
            for piece in re.split(r"\n|(?<=\S)(?=-?[\d.]+ …)", str(holder.inner_text())):
                assert words(piece).replace(" ", "") in written.replace(" ", ""), piece
        fills = {box.get("fill") for box in saved.root.iter(f"{_SVG}rect")}
        for cell in page.locator(".tables td:not(.none)").all():
            assert cell.evaluate("(cell) => getComputedStyle(cell).backgroundColor") in fills
