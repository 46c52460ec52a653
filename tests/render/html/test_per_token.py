"""The page of a per-token result in Chromium: picking a token, its scores, hostile texts."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browsing import opened
from drawn_results import ARABIC, JAPANESE, RESULTS, SEGMENTS, per_byte, per_token, result
from playwright.sync_api import Browser, expect

from attnscope.render import notebook_html, render
from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import number
from attnscope.results.per_token import PerToken
from attnscope.results.scaling import min_max, symmetric

SIGNED = per_token(RESULTS["english"], 8, signed=True)
RAMP = per_token(RESULTS["english"], 8, mass=0.5)


def classes(made: PerToken, target: int) -> list[str]:
    """The colour of every word that the target read, by Python's own scaling."""
    end = made.first.tokens[made.targets[target].index or 0].start
    scores = np.array([s for s, w in zip(made.scores[target], made.first.words, strict=True) if w.start < end])
    return [f"s{LIGHT.step(float(s))}" for s in (symmetric if made.first.signed else min_max)(scores)]


@pytest.mark.parametrize("made", [SIGNED, RAMP], ids=["signed", "not signed"])
def test_arrow_keys_and_clicks_pick_a_token(browser: Browser, tmp_path: Path, made: PerToken) -> None:
    with opened(browser, tmp_path, render(made, ".html")) as page:
        spans = page.locator("[data-part=text] .u")

        def shows(target: int) -> None:
            expected = classes(made, target)
            shown = page.evaluate(
                "[...document.querySelectorAll('[data-part=text] .u')].map((s) => s.className.split(' '))"
            )
            assert all(step in names for step, names in zip(expected, shown, strict=False))
            assert all(("later" in s) == (i >= len(expected)) for i, s in enumerate(shown))
            expect(page.locator("[data-part=unit] bdi")).to_have_text(made.targets[target].text)
            expect(page.locator("[data-part=value]")).to_have_text(f"value {number(made.targets[target].value)}")
            expect(page.locator("[data-part=targets] input").nth(target)).to_be_checked()
            expect(page.locator(".matrix .mark")).to_have_attribute("y", str(target))
            assert page.locator("[data-part=text] .u.q").count() == 1

        shows(0)
        page.locator("[data-part=targets] input").nth(0).focus()
        page.keyboard.press("ArrowRight")
        shows(1)
        expect(page.locator("[data-part=live]")).to_contain_text("relied most on")
        page.keyboard.press("ArrowDown")
        shows(2)
        page.keyboard.press("ArrowLeft")
        shows(1)
        page.locator("[data-part=targets] label").nth(5).click()
        shows(5)
        place = made.first.tokens[made.targets[3].index or 0]
        spans.nth([w.start for w in made.first.words].index(place.start)).click()
        shows(3)
        page.locator(".matrix").scroll_into_view_if_needed()
        box = page.locator(".matrix").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 20, box["y"] + box["height"] * 6.5 / 8)
        shows(6)
        spans.nth(1).hover()
        expect(page.locator("[data-part=tip]")).to_contain_text(f"score {number(float(made.scores[6][1]))}")


def test_one_range_or_each_its_own(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(SIGNED, ".html")) as page:
        largest = [float(np.abs(row).max()) for row in SIGNED.scores]
        expect(page.locator("[data-part=ticks] span").last).to_have_text(number(largest[0]))
        page.get_by_label("one range").check()
        expect(page.locator("[data-part=ticks] span").last).to_have_text(number(max(largest)))
        expect(page.locator("[data-part=ticks] span").first).to_have_text(number(-max(largest)))
        cells = page.locator(".matrix rect:not(.mark)")
        assert {"s0", "s63"} & {
            c for i in range(cells.count()) for c in (cells.nth(i).get_attribute("class") or "").split()
        }
        page.get_by_label("own range").check()
        expect(page.locator("[data-part=ticks] span").last).to_have_text(number(largest[0]))


def test_it_reads_without_javascript(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(RAMP, ".html"), java_script_enabled=False) as page:
        assert page.locator("[data-part=text]").text_content() == RAMP.first.text
        said = page.locator("body").inner_text()
        for part in ("Completeness error", "0.25", "Standard error", "0.125", "special tokens", "log-probability"):
            assert part in said
        rows = page.locator(".each tbody tr")
        assert rows.count() == 8
        best = RAMP.first.words[int(RAMP.scores[7].argmax())].text
        assert best in rows.nth(7).inner_text()
        for scripted in page.locator(".scripted").all():
            expect(scripted).to_be_hidden()


@pytest.mark.parametrize("name", ["script", "emoji", "quotes", "controls", "spaces", "markup", "newline words"])
def test_hostile_texts(browser: Browser, tmp_path: Path, name: str) -> None:
    made = per_token(RESULTS[name], 2)
    with opened(browser, tmp_path, render(made, ".html"), viewport={"width": 360, "height": 640}) as page:
        shown = page.evaluate("document.querySelector('[data-part=text]').textContent")
        assert shown == made.first.text.replace("\0", "␀")
        assert page.evaluate("document.scripts.length") == 3  # the data, Japanese, the page's own
        assert PerToken.from_json(page.evaluate("document.getElementById('data').textContent")) == made
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator("[data-part=targets] label").nth(1).click()
        expect(page.locator("[data-part=targets] input").nth(1)).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_japanese_and_arabic_on_a_narrow_screen(browser: Browser, tmp_path: Path, scheme: str) -> None:
    for text, pattern in ((JAPANESE, SEGMENTS), (ARABIC, r"\w+|[^\w\s]")):
        made = per_token(result(text, pattern=pattern), 4, signed=True)
        settings = {"viewport": {"width": 360, "height": 640}, "color_scheme": scheme}
        with opened(browser, tmp_path, render(made, ".html"), **settings) as page:
            assert page.locator("[data-part=text]").text_content() == text
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.locator("[data-part=targets] input").nth(0).focus()
            page.keyboard.press("ArrowDown")
            expect(page.locator("[data-part=unit] bdi")).to_have_text(made.targets[1].text)


def test_a_target_that_is_not_in_the_text(browser: Browser, tmp_path: Path) -> None:
    made = replace(SIGNED, targets=tuple(replace(t, index=None) for t in SIGNED.targets))
    with opened(browser, tmp_path, render(made, ".html")) as page:
        assert page.locator("[data-part=text] .u.later, [data-part=text] .u.q").count() == 0


@pytest.mark.parametrize("words", [False, True])
def test_tokens_that_share_a_character_are_one_target(browser: Browser, tmp_path: Path, words: bool) -> None:
    made = per_byte().by_word() if words else per_byte()
    drawn = made.by_character()
    with opened(browser, tmp_path, render(made, ".html")) as page:
        names = ["東京", "。"] if words else ["東", "京", "。"]
        assert page.locator("[data-part=targets] label").all_inner_texts() == names
        spans = page.locator("[data-part=text] .u")
        for target, name in enumerate(names):
            page.locator("[data-part=targets] label").nth(target).click()
            expect(page.locator("[data-part=unit] bdi")).to_have_text(name)
            expect(page.locator("[data-part=value]")).to_have_text(f"value {number(drawn.targets[target].value)}")
            later = ["later" in (span.get_attribute("class") or "") for span in spans.all()]
            assert later == [not read for read in drawn.read_words(target)]
            assert page.locator("[data-part=text] .u.q").all_inner_texts() == ["。" if name == "。" else "東京"]
        assert PerToken.from_json(page.evaluate("document.getElementById('data').textContent")) == drawn


def test_a_long_matrix_shares_columns() -> None:
    long = result(" ".join(f"w{i}" for i in range(5000)))
    page = render(per_token(long, 8), ".html").decode()
    assert "21 words share a column" in page
    assert page.count("<rect") < 8 * 241


def test_the_policy_and_the_data() -> None:
    page = render(per_token(RESULTS["script"], 2), ".html").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for kind, start, end in (("script", '<script type="module">', "</script>"), ("style", "<style>", "</style>")):
        source = page.split(start)[1].split(end)[0]
        assert base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() in policy[1], kind
    data = page.split('id="data">')[1].split("</script>")[0]
    assert not set("<>&") & set(data)
    assert json.loads(data)["type"] == "per_token"
    assert " style=" not in page.split("<script")[0]


def test_a_notebook_shows_it() -> None:
    assert notebook_html(SIGNED).startswith("<iframe title=")
    assert SIGNED._repr_html_() == notebook_html(SIGNED)


def test_rows_and_columns_of_the_matrix_have_labels(browser: Browser, tmp_path: Path) -> None:
    """Each beside the middle of its row or below that of its column; Japanese bytes make one row a character."""
    for made in (per_token(result("What each token relied on"), 3), per_byte()):
        shown = made.by_character()
        with opened(browser, tmp_path, render(made, ".html")) as page:
            for axis, names in (
                ("y", [target.text for target in shown.targets]),
                ("x", [word.text for word in shown.first.words]),
            ):
                labels = page.locator(f".labels.{axis} text")
                assert [text.strip() for text in labels.all_text_contents()] == [name.strip() for name in names]
                matrix, last = page.locator(".matrix").bounding_box(), labels.last.bounding_box()
                assert matrix is not None
                assert last is not None
                start, size = ("y", "height") if axis == "y" else ("x", "width")
                middle = matrix[start] + matrix[size] * (1 - 0.5 / len(names))  # type: ignore[literal-required]
                assert last[start] + last[size] / 2 == pytest.approx(middle, abs=3)  # type: ignore[literal-required]


def test_labels_are_thinned_before_they_touch(browser: Browser, tmp_path: Path) -> None:
    long = per_token(result(" ".join(f"word{i}" for i in range(90))), 60)
    with opened(browser, tmp_path, render(long, ".html"), viewport={"width": 360, "height": 640}) as page:
        boxes = [box for label in page.locator(".labels.x text").all() if (box := label.bounding_box())]
        assert len(boxes) == 18
        assert all(left["x"] + left["width"] <= right["x"] + 1 for left, right in pairwise(boxes))
