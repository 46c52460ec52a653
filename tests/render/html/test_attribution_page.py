"""The page in Chromium, and what can be told from its source."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsing import opened
from drawn_results import ARABIC, ENGLISH, RESULTS, long_result, result
from playwright.sync_api import Browser, expect

from attnscope.render import notebook_html, render
from attnscope.render.colours import DARK, LIGHT
from attnscope.render.content.caption import number
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Interaction, Measured
from attnscope.results.scaling import min_max, symmetric


@pytest.mark.parametrize("name", RESULTS)
def test_the_text_is_the_text(browser: Browser, tmp_path: Path, name: str) -> None:
    drawn = RESULTS[name]
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        shown = page.evaluate("document.querySelector('[data-part=text]').textContent")
        assert shown == drawn.text.replace("\0", "␀").replace("<|end|>", "")
        page.get_by_label("tokens", exact=True).check()
        drawn_text = "[...document.querySelectorAll('[data-part=text] .part')].flatMap((part) => [...part.childNodes])"
        drawn_text += ".filter((node) => !node.classList?.contains('special')).map((node) => node.textContent).join('')"
        visible = re.sub("[\0-\b\v\f\x0e-\x1f]", lambda mark: chr(0x2400 + ord(mark[0])), shown)
        assert page.evaluate(drawn_text) == visible
        stored = page.evaluate("document.getElementById('data').textContent")
        assert Attribution.from_json(stored) == drawn
        assert page.evaluate("document.scripts.length") == 3  # the data, Japanese, the page's own


@pytest.mark.parametrize("name", ["english", "japanese", "negative", "constant", "emoji", "spaces"])
def test_hover_and_focus_show_pythons_numbers(browser: Browser, tmp_path: Path, name: str) -> None:
    drawn = RESULTS[name]
    scaled = min_max(drawn.scores)
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        spans = page.locator("[data-part=text] .u")
        assert spans.count() == len(drawn.words)
        for i, word in list(enumerate(drawn.words))[:12]:
            rank = 1 + sum(other.score > word.score for other in drawn.words)
            expected = [f"score {number(word.score)}", f"scaled {scaled[i]:.3f}", f"rank {rank} of {len(drawn.words)}"]
            spans.nth(i).dispatch_event("pointerover")
            assert page.locator("[data-part=tip] div").all_text_contents() == expected
            page.locator("h1").hover()
            spans.nth(i).focus() if i == 0 else page.keyboard.press("ArrowRight")
            focused = "[...document.querySelectorAll('[data-part=text] .u')].indexOf(document.activeElement)"
            assert page.evaluate(focused) == i
            assert page.locator("[data-part=tip] div").all_text_contents() == expected
            assert page.locator("[data-part=live]").text_content().endswith(", ".join(expected))  # type: ignore[union-attr]
            assert f"s{LIGHT.step(float(scaled[i]))}" in (spans.nth(i).get_attribute("class") or "").split()


def test_token_scores_are_pythons(browser: Browser, tmp_path: Path) -> None:
    text = "Hi 👍 all"
    tokens = (
        Token("<s>", 0, 0, True, 9.0), Token("Hi", 0, 2, False, 1.0), Token(" 👍", 2, 4, False, 3.0),
        Token("👍", 3, 4, False, 5.0), Token(" all", 4, 8, False, 2.0),
    )  # fmt: skip
    words = (Word("Hi", 0, 2, 1.0), Word("👍", 3, 4, 8.0), Word("all", 5, 8, 2.0))
    drawn = Attribution("gradient", "gradient", text, tokens, words, measured=Measured(query_tokens=(4,)))
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        expect(page.locator("[data-part=ticks] span").last).to_have_text("8")
        page.get_by_label("tokens", exact=True).check()
        spans = page.locator("[data-part=text] .u:not(.special)")
        assert spans.all_text_contents() == ["Hi", " 👍", " all"]
        assert [s.get_attribute("class") for s in spans.all()] == ["u s0", "u s63", "u s16 q"]
        expect(page.locator("[data-part=ticks] span").last).to_have_text("5")
        spans.nth(1).hover()
        expect(page.locator("[data-part=tip]")).to_contain_text("the highest of 2 tokens")
        page.get_by_label("words", exact=True).check()
        assert spans.all_text_contents() == ["Hi", "👍", "all"]
        expect(page.locator("[data-part=ticks] span").last).to_have_text("8")


def test_signed_token_scores(browser: Browser, tmp_path: Path) -> None:
    """Zero is in the middle, ranks go by magnitude, and tokens in one character show the strongest of them."""
    text = "Hi 👍 all"
    tokens = (
        Token("<s>", 0, 0, True, 9.0), Token("Hi", 0, 2, False, 1.0), Token(" 👍", 2, 4, False, 3.0),
        Token("👍", 3, 4, False, -4.0), Token(" all", 4, 8, False, 0.0),
    )  # fmt: skip
    words = (Word("Hi", 0, 2, 1.0), Word("👍", 3, 4, -1.0), Word("all", 5, 8, 0.0))
    drawn = Attribution("gim", "gradient", text, tokens, words, signed=True)
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        expect(page.locator("[data-part=ticks] span").first).to_have_text("-1")
        page.get_by_label("tokens", exact=True).check()
        spans = page.locator("[data-part=text] .u:not(.special)")
        scaled = symmetric(np.array([1.0, -4.0, 0.0]))
        assert [s.get_attribute("class") for s in spans.all()] == [f"u s{LIGHT.step(float(x))}" for x in scaled]
        assert page.locator("[data-part=ticks] span").all_text_contents() == ["-4", "0", "4"]
        spans.nth(1).hover()
        expect(page.locator("[data-part=tip]")).to_contain_text("score -4")
        expect(page.locator("[data-part=tip]")).to_contain_text("rank 1 of 3")
        expect(page.locator("[data-part=tip]")).to_contain_text("the strongest of 2 tokens")


def test_keyboard_walk(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(RESULTS["english"], ".html")) as page:

        def active() -> int:
            where = "[...document.querySelectorAll('[data-part=text] .u')].indexOf(document.activeElement)"
            return int(page.evaluate(where))

        for _ in range(4):
            page.keyboard.press("Tab")
        assert active() == 0
        last = len(RESULTS["english"].words) - 1
        for key, place in [
            ("ArrowRight", 1),
            ("End", last),
            ("ArrowRight", last),
            ("ArrowLeft", last - 1),
            ("Home", 0),
        ]:
            page.keyboard.press(key)
            assert active() == place
        top = "document.activeElement.getBoundingClientRect().top"
        before = page.evaluate(top)
        page.keyboard.press("ArrowDown")
        assert page.evaluate(top) > before
        page.keyboard.press("ArrowUp")
        assert page.evaluate(top) == before
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert active() == -1
        expect(page.locator("[data-part=text] .u.pinned")).to_have_count(1)
        expect(page.locator("[data-part=tip]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=text] .u.pinned")).to_have_count(0)
        expect(page.locator("[data-part=tip]")).to_be_hidden()
        assert page.locator("[tabindex]").count() == 1


def test_arrows_follow_the_reading_direction(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(result(ARABIC), ".html")) as page:
        spans = page.locator("[data-part=text] .u")
        spans.nth(0).focus()
        assert page.evaluate("getComputedStyle(document.querySelector('[data-part=text]')).direction") == "rtl"
        page.keyboard.press("ArrowLeft")
        expect(spans.nth(1)).to_be_focused()
        first, second = spans.nth(0).bounding_box(), spans.nth(1).bounding_box()
        assert first is not None
        assert second is not None
        assert second["x"] < first["x"]


def test_a_click_pins_and_a_second_lets_go(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(RESULTS["english"], ".html")) as page:
        word = page.locator("[data-part=text] .u").nth(3)
        word.click()
        page.locator("h1").hover()
        expect(page.locator("[data-part=tip] b")).to_have_text(RESULTS["english"].words[3].text)
        word.click()
        page.locator("h1").hover()
        expect(page.locator("[data-part=tip]")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "colours", "other"), [("light", LIGHT, DARK), ("dark", DARK, LIGHT)])
def test_light_and_dark(browser: Browser, tmp_path: Path, scheme: str, colours: object, other: object) -> None:
    def rgb(colour: str) -> str:
        return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))

    maps = {"light": LIGHT, "dark": DARK}
    chosen, switched = maps[scheme], maps["dark" if scheme == "light" else "light"]
    with opened(browser, tmp_path, render(RESULTS["english"], ".html"), color_scheme=scheme) as page:
        for expected in (chosen, switched):
            expect(page.locator("html")).to_have_css("background-color", rgb(expected.background))
            expect(page.locator("[data-part=text] .s63")).to_have_css("background-color", rgb(expected.steps[-1]))
            page.get_by_role("button", name="Light / dark").click()
    fixed = render(RESULTS["english"], ".html", dark=scheme != "dark")
    with opened(browser, tmp_path, fixed, color_scheme=scheme) as page:
        expect(page.locator("html")).to_have_css("background-color", rgb(switched.background))


@pytest.mark.parametrize("name", RESULTS)
def test_narrow_screens_never_scroll_sideways(browser: Browser, tmp_path: Path, name: str) -> None:
    with opened(browser, tmp_path, render(RESULTS[name], ".html"), viewport={"width": 360, "height": 640}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_newline_words_are_marked_without_breaking_twice(browser: Browser, tmp_path: Path) -> None:
    plain = result("one\ntwo\n\nthree", pattern="[a-z]+")
    scored = result("one\ntwo\n\nthree", pattern=r"[a-z]+|\n+")
    heights = []
    for drawn in (plain, scored):
        with opened(browser, tmp_path, render(drawn, ".html")) as page:
            heights.append(page.evaluate("document.querySelector('[data-part=text]').getBoundingClientRect().height"))
            if drawn is scored:
                mark = "getComputedStyle(document.querySelector('[data-part=text] .nl'), '::before').content"
                assert page.evaluate(mark) == '"↵"'
    assert heights[0] == pytest.approx(heights[1], abs=2)


def test_the_json_downloads(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(RESULTS["script"], ".html")) as page:
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON").click()
        assert Attribution.load(download.value.path()) == RESULTS["script"]


def test_it_reads_without_javascript(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(RESULTS["english"], ".html"), java_script_enabled=False) as page:
        assert page.locator("[data-part=text]").text_content() == ENGLISH
        for part in ("Attention from “castle”", "29", "mean", "tests/tiny", "71.3%", "castle is the query"):
            assert part in page.locator("body").inner_text()
        assert page.locator(".scripted").count() == 2
        for scripted in page.locator(".scripted").all():
            expect(scripted).to_be_hidden()


def test_a_notebooks_frame_works(browser: Browser, tmp_path: Path) -> None:
    window = browser.new_context()
    page = window.new_page()
    page.set_content(notebook_html(RESULTS["script"]))
    frame = page.frame_locator("iframe")
    assert frame.locator("[data-part=text]").text_content() == RESULTS["script"].text
    frame.locator("[data-part=text] .u").nth(1).hover()
    expect(frame.locator("[data-part=tip]")).to_be_visible()
    window.close()


def test_thirty_thousand_tokens(browser: Browser, tmp_path: Path) -> None:
    drawn = long_result()
    assert len(drawn.tokens) > 29_000
    content = render(drawn, ".html")
    assert len(content) < 6_500_000
    with opened(browser, tmp_path, content) as page:
        spans = page.locator("[data-part=text] .u")
        assert spans.count() == 25_000
        spans.nth(0).focus()
        page.keyboard.press("End")
        expect(spans.nth(24_999)).to_be_focused()
        expect(page.locator("[data-part=tip]")).to_contain_text("of 25000")


@pytest.mark.parametrize("name", RESULTS)
def test_the_policy_allows_these_two_sources_and_nothing_else(name: str) -> None:
    page = render(RESULTS[name], ".html").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for kind, source in (
        ("script", page.split('<script type="module">')[1].split("</script>")[0]),
        ("style", page.split("<style>")[1].split("</style>")[0]),
    ):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert "unsafe" not in policy[1]
    assert "://" not in page.split("<article")[0]
    assert " style=" not in page.split("<script")[0].replace(RESULTS[name].text, "")


@pytest.mark.parametrize("name", RESULTS)
def test_the_data_cannot_leave_its_element(name: str) -> None:
    page = render(RESULTS[name], ".html").decode()
    data = page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(data)
    assert json.loads(data) == json.loads(RESULTS[name].to_json())


def test_the_language_is_guessed() -> None:
    assert b'<html lang="ja" ' in render(RESULTS["japanese"], ".html")
    assert b'<html lang="en" ' in render(RESULTS["quotes"], ".html")
    arabic = render(RESULTS["arabic"], ".html")
    assert b'<html lang="en" ' in arabic
    assert b'dir="auto" lang=""' in arabic


def test_half_a_surrogate_is_drawn() -> None:
    page = render(result("a \ud800 b"), ".html").decode()
    assert '\\ud800"' in page


def test_words_that_work_together_have_an_arc(browser: Browser, tmp_path: Path) -> None:
    drawn = RESULTS["signed"]
    first, second, third = ((word.start, word.end) for word in drawn.words[:3])
    pairs = (Interaction(first, third, 0.5, 0.25, 0.75), Interaction(second, third, -0.25, -0.5, -0.125))
    together = replace(drawn, measured=replace(drawn.measured, interactions=pairs))
    with opened(browser, tmp_path, render(together, ".html")) as page:
        arcs = page.locator("[data-part=text] .arcs path")
        assert [arc.get_attribute("class") for arc in arcs.all()] == ["more", "less"]
        box = page.locator("[data-part=text] .u").nth(2).bounding_box()
        assert box is not None
        end = arcs.first.evaluate(
            "arc => { const {x, y} = arc.getPointAtLength(arc.getTotalLength()).matrixTransform(arc.getScreenCTM());"
            " return [x, y] }"
        )
        assert end == pytest.approx([box["x"] + box["width"] / 2, box["y"]], abs=1)
        page.get_by_label("tokens", exact=True).check()
        expect(arcs).to_have_count(0)
        page.get_by_label("words", exact=True).check()
        expect(arcs).to_have_count(2)
        assert page.locator("[data-part=text]").text_content() == drawn.text
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        expect(page.locator(".arcs, .arched")).to_have_count(0)
