"""What pages of scores have of the viewer: finding, keys, files, a link to what is seen, nothing in a reader's way."""

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import opened, serious
from drawn_results import ENGLISH, JAPANESE, RESULTS, SEGMENTS, agreement_of, per_token, result
from playwright.sync_api import Browser, expect

import attnscope as ats
from attnscope.render import render

PAGES = {
    "attribution": RESULTS["english"],
    "signed": RESULTS["signed"],
    "japanese": RESULTS["japanese"],
    "per token": per_token(RESULTS["english"], 4, signed=True),
    "per token japanese": per_token(result(JAPANESE, pattern=SEGMENTS), 4),
    "agreement": agreement_of(),
}
SCRIPTS = {
    "attribution": RESULTS["script"],
    "per token": per_token(RESULTS["script"], 2),
    "agreement": ats.agreement([RESULTS["script"], RESULTS["script"]]),
}


@pytest.mark.parametrize("name", ["attribution", "per token", "agreement"])
def test_a_word_is_found_and_walked_to(browser: Browser, tmp_path: Path, name: str) -> None:
    view = {"viewport": {"width": 700, "height": 420}}
    maps = 3 if name == "agreement" else 1
    with opened(browser, tmp_path, render(PAGES[name], ".html"), **view) as page:
        page.keyboard.press("/")
        page.keyboard.type("THE")
        count = ENGLISH.lower().count("the")
        expect(page.locator("[data-part=match-count]")).to_have_text(str(maps * count))
        marked = page.locator(".match")
        assert marked.count() == maps * count
        assert all("the" in text.lower() for text in marked.all_text_contents())
        page.keyboard.press("Shift+Enter")
        expect(page.locator("[data-part=live]")).to_have_text(f"match {maps * count} of {maps * count}")
        expect(marked.last).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=live]")).to_have_text(f"match 1 of {maps * count}")
        expect(marked.first).to_be_in_viewport()
        page.locator("[data-part=search]").fill("nowhere to be found")
        expect(page.locator("[data-part=match-count]")).to_have_text("0")
        expect(marked).to_have_count(0)


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_seen_is_saved(browser: Browser, tmp_path: Path, name: str) -> None:
    with opened(browser, tmp_path, render(SCRIPTS[name], ".html")) as page:
        files = {}
        for kind in ("png", "svg", "csv", "json"):
            with page.expect_download() as download:
                page.locator(f"[data-part=save-{kind}]").click()
            assert download.value.suggested_filename.endswith(f".{kind}")
            files[kind] = Path(download.value.path()).read_bytes()
    assert files["png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert len(files["png"]) > 3000
    drawn = ElementTree.fromstring(files["svg"])
    words = "".join(drawn.itertext())
    assert "tests/tiny" in words
    for word in RESULTS["script"].words:
        assert word.text in words
    assert not drawn.findall(".//{http://www.w3.org/2000/svg}script")
    assert len({box.get("fill") for box in drawn.iter("{http://www.w3.org/2000/svg}rect")}) > 60  # the ramp
    rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert len({len(row) for row in rows}) == 1
    scores = RESULTS["script"].scores
    if name == "attribution":
        np.testing.assert_array_equal([float(row[2]) for row in rows[1:]], scores)
        assert [row[1] for row in rows[1:]] == [word.text for word in RESULTS["script"].words]
    elif name == "agreement":
        np.testing.assert_array_equal([[float(x) for x in row[2:]] for row in rows[1:]], np.stack([scores] * 2, 1))
    else:
        np.testing.assert_array_equal([[float(x) for x in row[3:]] for row in rows[1:]], SCRIPTS[name].scores)
    assert files["json"].decode() == render(SCRIPTS[name], ".json").decode() or b'"schema"' in files["json"]


def test_the_fragment_holds_the_view(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(RESULTS["english"], ".html"), "#unit=token&pin=2&theme=dark") as page:
        expect(page.get_by_label("tokens", exact=True)).to_be_checked()
        expect(page.locator("[data-part=text] .pinned")).to_have_count(1)
        expect(page.locator("[data-part=tip]")).to_be_visible()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("w")
        expect(page.get_by_label("words", exact=True)).to_be_checked()
        expect(page.locator("[data-part=text] .pinned")).to_have_count(0)
        page.wait_for_timeout(200)
        assert page.url.endswith("#theme=dark")
        page.evaluate("location.hash = '#pin=1'")
        expect(page.locator("[data-part=text] .pinned")).to_have_text(RESULTS["english"].words[1].text)
    with opened(browser, tmp_path, render(PAGES["per token"], ".html"), "#target=2&range=one") as page:
        expect(page.locator("[data-part=targets] input").nth(2)).to_be_checked()
        expect(page.get_by_label("one range")).to_be_checked()
        page.keyboard.press(".")
        expect(page.locator("[data-part=targets] input").nth(3)).to_be_checked()
        page.wait_for_timeout(200)
        assert "target=3" in page.url
        page.evaluate("location.hash = '#target=99'")
        expect(page.locator("[data-part=targets] input").nth(3)).to_be_checked()


def test_the_table_ranks_what_is_seen(browser: Browser, tmp_path: Path) -> None:
    drawn = RESULTS["english"]
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        rows = page.locator("[data-part=top-rows] tr:visible")
        best = sorted(range(len(drawn.words)), key=lambda i: (-drawn.words[i].score, i))[:12]
        assert rows.locator("bdi").all_text_contents() == [drawn.words[i].text for i in best]
        rows.nth(2).locator("button").click()
        expect(page.locator("[data-part=text] .pinned")).to_have_text(drawn.words[best[2]].text)
        page.get_by_label("tokens", exact=True).check()
        tokens = [token for token in drawn.tokens if not token.special]
        top = max(tokens, key=lambda token: token.score)
        expect(rows.first.locator("bdi")).to_have_text(top.text.strip())
    made = PAGES["per token"]
    with opened(browser, tmp_path, render(made, ".html"), "#target=1") as page:
        scores = np.where(made.read_words(1), np.abs(made.scores[1]), -1)
        expect(page.locator("[data-part=top-rows] bdi").first).to_have_text(made.first.words[int(scores.argmax())].text)


def test_the_help_opens_and_closes(browser: Browser, tmp_path: Path) -> None:
    for drawn in (PAGES["attribution"], PAGES["per token"], PAGES["agreement"]):
        with opened(browser, tmp_path, render(drawn, ".html")) as page:
            page.keyboard.press("?")
            expect(page.locator("[data-part=help]")).to_be_visible()
            expect(page.locator("[data-part=help] kbd").first).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator("[data-part=help]")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, tmp_path: Path, name: str, scheme: str) -> None:
    with opened(browser, tmp_path, render(PAGES[name], ".html"), color_scheme=scheme) as page:
        assert serious(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_the_colours_numbers_come_first_on_a_narrow_screen(browser: Browser, tmp_path: Path, name: str) -> None:
    with opened(browser, tmp_path, render(PAGES[name], ".html"), viewport={"width": 360, "height": 700}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        legend, text = page.locator(".legend").bounding_box(), page.locator(".passage").first.bounding_box()
        assert legend is not None
        assert text is not None
        assert legend["y"] + legend["height"] <= text["y"]
