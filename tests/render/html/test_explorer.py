"""The page of maps in Chromium: made by hand, and hostile."""

import base64
import csv
import hashlib
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import EXPLORER_VIEWS as VIEWS
from browsing import near, opened, ready, serious
from drawn_maps import maps_of
from drawn_results import RESULTS, result
from playwright.sync_api import Browser, Page, expect

from attnscope.errors import InputError
from attnscope.render import notebook_html, render
from attnscope.render.content.caption import number
from attnscope.results.attention_maps import AttentionMaps

TEXT = "The castle stood on the hill above the river, and nobody had lived there since the war."
HOSTILE = {
    "script": "a </script><b>bold</b> <script>alert(1)</script> &amp; <!-- <!--<script> ]]> ${title} $low",
    "japanese": "吾輩は 猫で ある。 名前は まだ 無い。",
    "arabic": "كان القصر يقف على التل فوق النهر",
    "emoji": "A family 👨‍👩‍👧‍👦 and a flag 🇯🇵 and 👍🏽 ok e\u0301",
    "controls": "nul\0 bell\a esc\x1b[31mred\x1b[0m cr\r\nlf del\x7f c1\x85\x9b31m \u202eover\u202c end",
    "spaces": "\n\n  \t lead  two   three\n\n\n\ttab\ttab   \n",
    "formulas": "=1+1 +2 -3 @SUM(A1) \"quoted\", 'single' $x$",
    "one": "alone",
}


def kept(maps: AttentionMaps, layer: int, head: int) -> np.ndarray:
    """The map as the page has it: linear eighths of a byte of float16 maxima."""
    truth = maps.weights(layer, head).astype(np.float64)
    peak = truth.max(-1, keepdims=True)
    return np.rint(truth / peak * 255) / 255 * peak.astype(np.float16).astype(np.float64)


def go(page: Page, view: str) -> None:
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(str(1 + VIEWS.index(view)))
    expect(page.locator(f"[data-part={view}]")).to_be_visible()
    ready(page)


def test_a_long_text_comes_into_sight_whole(browser: Browser, tmp_path: Path) -> None:
    lines = [" ".join(f"w{i}.{j}" for j in range(7)) for i in range(40)]
    text = "\n  ".join(lines) + "\n" + " ".join(f"x{i}" for i in range(900))
    with opened(browser, tmp_path, render(maps_of(text, layers=1, heads=1), ".html")) as page:
        for _ in range(2):
            go(page, "overview")
            go(page, "text")
            for _ in range(50):
                seen = page.evaluate("document.querySelector('[data-part=text-query]').innerText").strip()
                if seen == text:
                    break
                page.wait_for_timeout(100)
            assert seen == text
        assert page.locator("[data-part=text-query] .part").count() == 3
        page.locator("[data-part=search]").fill("x899")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=text-query] .match")).to_be_in_viewport()


def test_colours_follow_what_is_in_sight(browser: Browser, tmp_path: Path) -> None:
    text = " ".join(f"w{i}" for i in range(1500))
    bare = """() => {
        const ranges = [...CSS.highlights.values()].flatMap((set) => [...set]);
        const coloured = new Set(ranges.map((range) => range.startContainer));
        const seen = [...document.querySelectorAll('[data-part=text-query] .u')].filter((box) => {
            const { top, bottom } = box.getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        });
        return [coloured.size, seen.length, seen.filter((box) => !coloured.has(box)).length];
    }"""
    content = render(maps_of(text, layers=1, heads=1), ".html")
    with opened(browser, tmp_path, content, "#view=text&pin=1499&curve=log") as page:
        ready(page)
        page.get_by_text("w1499", exact=True).first.wait_for()
        for top in (0, 1e6, 700):
            page.evaluate("(top) => scrollTo(0, top)", top)
            page.wait_for_timeout(200)
            coloured, seen, missed = page.evaluate(bare)
            assert seen > 100
            assert missed <= 0.15 * seen  # those whose weight is next to nothing
            assert coloured < 1000
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(bare)[0] > 1400
        page.keyboard.press("Escape")
        page.locator("input[data-state=unit][value=token]").check()
        ready(page)
        assert page.evaluate(bare)[0] < 1000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_in_every_view(browser: Browser, tmp_path: Path, name: str) -> None:
    with opened(browser, tmp_path, render(maps_of(HOSTILE[name]), ".html"), "#special=1") as page:
        for view in VIEWS:
            go(page, view)
            assert page.locator("b:not([data-part=tip] b)").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            if view == "text":
                shown = page.evaluate("document.querySelector('[data-part=text-query]').textContent")
                shown = shown.replace("[CLS]", "").replace("[SEP]", "")
                plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", lambda m: chr(0x2400 + ord(m[0])), HOSTILE[name])
                assert shown in (plain, plain.replace("\r\n", "\n"))
                page.get_by_label("Make white space visible").check()
                ready(page)
                marked = page.evaluate("document.querySelector('[data-part=text-query]').textContent")
                assert marked.replace("[CLS]", "").replace("[SEP]", "") == shown
        page.keyboard.press("]")
        ready(page)


def test_hover_on_the_map_shows_pythons_numbers(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=head&layer=1&head=2&unit=token&special=1") as page:
        ready(page)
        truth = maps.weights(1, 2)
        box = page.locator("[data-part=map]").bounding_box()
        assert box is not None
        count = len(maps.queries)
        for q, k in [(0, 0), (3, 7), (count - 1, 2), (9, count - 1)]:
            page.mouse.move(box["x"] + (k + 0.5) * box["width"] / count, box["y"] + (q + 0.5) * box["height"] / count)
            value, rank, _ = re.split(", rank | of ", page.locator("[data-part=tip] div").inner_text())
            assert near(value, truth[q, k], truth[q].max())
            same = kept(maps, 1, 2)[q]
            assert int(rank) == 1 + int((same > same[k] * (1 + 1e-9)).sum())
            expect(page.locator("[data-part=live]")).to_contain_text(
                f"→ {label(maps, k)}, {value}, rank {rank} of {count}"
            )


def label(maps: AttentionMaps, k: int) -> str:
    return maps.key_side.tokens[k].text.strip()


def test_words_and_renormalised_rows_are_pythons(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT)
    words = maps.words()
    truth = words.weights(1, 0).astype(np.float64)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=text&layer=1&head=0") as page:
        ready(page)
        for renormalised in (False, True):
            if renormalised:
                page.get_by_label("Renormalise").check()
            for word in (1, 6):
                row = truth[word] / truth[word].sum() if renormalised else truth[word]
                page.locator("[data-part=text-query] .u:not(.special)").nth(word).hover()
                best = np.argsort(-row)[0]
                expect(page.locator("[data-part=top-rows] tr").first.locator("th")).to_have_text(
                    words.key_side.tokens[best].text
                )
                shown = page.locator("[data-part=top-rows] tr:visible .value").last.inner_text()
                largest = float(page.locator("[data-part=top-rows] tr").first.locator("td").last.inner_text())
                assert abs(largest - row[best]) < 0.012
                assert float(shown) <= row[best]
                special = 1 - truth[word].sum()
                said = page.locator("[data-part=left-out]").inner_text()
                assert abs(float(said.split("%")[0]) / 100 - special) < 0.012
                assert ("scaled up" in said) == renormalised


def test_keyboard_walk(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(maps_of(TEXT), ".html")) as page:
        ready(page)
        for key, view in zip("2345", VIEWS[1:], strict=True):
            page.keyboard.press(key)
            expect(page.locator(f"[data-part={view}]")).to_be_visible()
        page.keyboard.press("2")
        for key, layer, head in [("]", "0", "1"), ("]", "0", "2"), ("]", "0", "0"), ("}", "1", "0"), ("{", "0", "0"),
                                 ("[", "0", "2"), ("ArrowDown", "1", "2"), ("ArrowLeft", "1", "1")]:  # fmt: skip
            page.keyboard.press(key)
            assert (
                page.locator("[data-part=layer]").input_value(),
                page.locator("[data-part=head-number]").input_value(),
            ) == (layer, head)
        page.locator("[data-part=stage]").focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-part=live]")).to_contain_text("rank")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=unpin]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=unpin]")).to_be_hidden()
        page.keyboard.press("3")
        page.locator("[data-part=text-query]").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-part=text-query] .q")).to_have_text("castle")
        page.keyboard.press("Enter")
        page.keyboard.press("End")
        page.keyboard.press("Shift+Enter")
        expect(page.locator("[data-part=text-query] .q2")).to_have_text("war.")
        expect(page.locator("[data-part=unit]")).to_contain_text("difference")
        page.keyboard.press("1")
        page.locator(".tile").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".tile.here .name")).to_have_text("1·1")
        page.keyboard.press(" ")
        expect(page.locator("[data-part=chosen-count]")).to_have_text("1 heads selected")
        page.keyboard.press("?")
        expect(page.locator("[data-part=help]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=help]")).to_be_hidden()


def test_search_marks_text_and_map(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(maps_of(TEXT), ".html"), "#view=text") as page:
        ready(page)
        page.keyboard.press("/")
        page.keyboard.type("the")
        expect(page.locator("[data-part=text-query] .match")).to_have_text(["The", "the", "the", "there", "the"])
        expect(page.locator("[data-part=match-count]")).to_have_text("5")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=live]")).to_contain_text("the →")
        page.keyboard.press("Escape")
        before = page.evaluate("document.querySelector('[data-part=over]').toDataURL()")
        page.keyboard.press("2")
        ready(page)
        marked = page.evaluate("document.querySelector('[data-part=over]').toDataURL()")
        page.keyboard.press("/")
        page.keyboard.press("Backspace")
        ready(page)
        assert len({before, marked, page.evaluate("document.querySelector('[data-part=over]').toDataURL()")}) == 3


def test_the_fragment_holds_the_view(browser: Browser, tmp_path: Path) -> None:
    content = render(maps_of(TEXT), ".html")
    with opened(browser, tmp_path, content, "#view=text&layer=1&head=2&pin=3&palette=sea&theme=dark&scale=map") as page:
        ready(page)
        expect(page.locator("[data-part=text-query] .q")).to_have_text("stood")
        expect(page.locator("[data-part=caption]")).to_contain_text("layer 1, head 2")
        assert page.locator("[data-part=palette]").input_value() == "sea"
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("[")
        page.wait_for_timeout(200)
        assert "head=1" in page.url
        assert "pin=3" in page.url
        page.evaluate("location.hash = '#view=head&layer=0'")
        expect(page.locator("[data-part=head]")).to_be_visible()
        page.evaluate("location.hash = '#view=head&layer=77&head=1'")
        expect(page.locator("[data-part=caption]")).to_contain_text("layer 0, head 1")


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_seen_is_saved(browser: Browser, tmp_path: Path, view: str) -> None:
    maps = maps_of(HOSTILE["script"])
    with opened(browser, tmp_path, render(maps, ".html"), f"#view={view}&layer=1&head=1") as page:
        ready(page)
        page.wait_for_timeout(100)
        files = {}
        for kind in ("png", "svg", "csv"):
            with page.expect_download() as download:
                page.locator(f"[data-part=save-{kind}]").click()
            files[kind] = Path(download.value.path()).read_bytes()
        assert files["png"].startswith(b"\x89PNG\r\n\x1a\n")
        assert len(files["png"]) > 3000
        drawn = ElementTree.fromstring(files["svg"])
        words = "".join(drawn.itertext())
        assert "tests/tiny" in words
        assert not drawn.findall(".//{http://www.w3.org/2000/svg}script")
        rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
        assert len({len(row) for row in rows}) == 1
        if view == "head":
            truth = maps.words().weights(1, 1)
            assert np.abs(np.array([row[1:] for row in rows[1:]], dtype=float) - truth).max() < 0.012
            assert rows[1][0] == "a"
        if view == "overview":
            assert len(rows) == 7


def test_two_texts(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of("Das Schloss steht dort", "The castle stands there", heads=2)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=text&layer=1") as page:
        ready(page)
        expect(page.locator("[data-part=text-key]")).to_be_visible()
        truth = maps.words().weights(1, 0)
        page.locator("[data-part=text-query] .u").get_by_text("Schloss").hover()
        expect(page.locator("[data-part=top-title]")).to_have_text("Schloss attends to")
        best = maps.words().key_side.tokens[int(truth[1].argmax())].text
        expect(page.locator("[data-part=top-rows] tr").first.locator("th")).to_have_text(best)
        page.locator("[data-part=text-key] .u").get_by_text("castle").hover()
        expect(page.locator("[data-part=top-title]")).to_have_text("castle is attended to by")
        page.keyboard.press("5")
        expect(page.locator("[data-part=no-rollout]")).to_contain_text("from one text to another")


def test_generated_words_are_told_apart_and_stepped_through(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of("The capital of Japan is Tokyo of course", causal=True, continued_at=23)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=text") as page:
        ready(page)
        expect(page.locator("[data-part=text-query] .said")).to_have_text(["Tokyo", "of", "course"])
        for word in ("Tokyo", "of", "course", "course"):
            page.keyboard.press(".")
            expect(page.locator("[data-part=text-query] .q")).to_have_text(word)
        page.keyboard.press(",")
        expect(page.locator("[data-part=text-query] .q")).to_have_text("of")


def test_scores_that_came_with_the_data(browser: Browser, tmp_path: Path) -> None:
    flow = [result(TEXT), result(TEXT, method="rollout")]
    content = render(maps_of(TEXT), ".html", flow=flow)
    with opened(browser, tmp_path, content, "#view=flow") as page:
        expect(page.locator("[data-part=scores] h3")).to_have_text(["Importance by gradient", "Importance by rollout"])
        assert page.locator("[data-part=scores] .passage").first.text_content() == TEXT
    with pytest.raises(InputError, match="flow: expected results"):
        render(maps_of(TEXT), ".html", flow=[RESULTS["english"]])


def test_rollout_is_the_textbooks(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT, layers=4, causal=True)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=flow&unit=token&special=1&pin=5") as page:
        expect(page.locator("[data-part=top-rows] tr").first).to_be_visible()
        product = np.eye(len(maps.keys))
        for layer in range(4):
            mean = np.mean([kept(maps, layer, head) for head in range(3)], 0)
            step = 0.5 * mean + 0.5 * np.eye(len(mean))
            product = (step / step.sum(-1, keepdims=True)) @ product
        shown = float(page.locator("[data-part=top-rows] tr").first.locator("td").last.inner_text())
        assert shown == pytest.approx(product[5].max(), rel=2e-3)


def test_a_page_over_its_budget_says_what_is_missing_and_is_never_blank(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT * 12, layers=5, heads=2)
    full = len(render(maps, ".html"))
    budget = (full - 0.8 * (full - len(render(maps, ".html", max_mb=0.0001)))) / 1e6
    content = render(maps, ".html", max_mb=budget)
    assert len(content) <= budget * 1e6
    with opened(browser, tmp_path, content, "#view=head&layer=1") as page:
        expect(page.locator("[data-part=missing]")).to_be_visible()
        expect(page.locator("[data-part=notes]")).to_contain_text("left out")
        expect(page.locator("[data-part=notes]")).to_contain_text("% of the attention")
        page.wait_for_timeout(300)
        pixels = "document.querySelector('[data-part=outline]').getContext('2d').getImageData(0, 0, 64, 64).data"
        assert page.evaluate(f"new Set({pixels}).size") > 5
        page.keyboard.press("{")
        page.keyboard.press("{")
        ready(page)
        expect(page.locator("[data-part=missing]")).to_be_hidden()


def test_statistics_alone(browser: Browser, tmp_path: Path) -> None:
    from dataclasses import replace

    maps = replace(maps_of(TEXT), codes=None, largest=None)
    with opened(browser, tmp_path, render(maps, ".html"), "#sort=sink") as page:
        expect(page.locator(".tile")).to_have_count(6)
        expect(page.locator(".tile .stat").first).to_contain_text("%")
        expect(page.locator("[data-part=notes]")).to_have_text("Only statistics were kept, no maps.")


def test_a_notebooks_frame_works(browser: Browser) -> None:
    maps = maps_of(TEXT)
    assert maps._repr_html_() == notebook_html(maps)
    window = browser.new_context()
    page = window.new_page()
    page.set_content(notebook_html(maps))
    frame = page.frame_locator("iframe")
    frame.locator(".tile").nth(4).click()
    expect(frame.locator("[data-part=head]")).to_be_visible()
    expect(frame.locator("[data-part=caption]")).to_contain_text("layer 1, head 1")
    frame.locator("[data-view=text]").click()
    frame.locator("[data-part=text-query] .u").nth(3).hover()
    expect(frame.locator("[data-part=top-rows] tr").first).to_be_visible()
    window.close()


def test_narrow_screens_never_scroll_sideways(browser: Browser, tmp_path: Path) -> None:
    viewport = {"width": 360, "height": 640}
    with opened(browser, tmp_path, render(maps_of(TEXT), ".html"), viewport=viewport) as page:
        for view in VIEWS:
            go(page, view)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, tmp_path: Path, scheme: str) -> None:
    content = render(maps_of(TEXT), ".html", flow=[result(TEXT)])
    with opened(browser, tmp_path, content, "#pin=3", color_scheme=scheme) as page:
        for view in VIEWS:
            go(page, view)
            assert serious(page) == []


def test_means_of_heads(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=text&layer=1&unit=token&special=1&pin=4") as page:
        for chosen, heads in (
            ("from=layer", [(1, 0), (1, 1), (1, 2)]),
            ("from=chosen&chosen=0.2+1.1", [(0, 2), (1, 1)]),
        ):
            page.evaluate(f"location.hash = '#view=text&layer=1&unit=token&special=1&pin=4&{chosen}'")
            mean = np.mean([kept(maps, *head)[4] for head in heads], 0)
            expect(page.locator("[data-part=caption]")).to_contain_text("mean of")
            ready(page)
            shown = page.locator("[data-part=top-rows] tr:visible td:last-child").all_inner_texts()
            assert np.allclose([float(value) for value in shown], np.sort(mean)[::-1][: len(shown)], rtol=2e-3)


def test_the_policy_allows_this_script_and_style_and_no_network() -> None:
    page = render(maps_of(HOSTILE["script"]), ".html").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for kind, source in (
        ("script", page.split('<script type="module" async>')[1].split("</script>")[0]),
        ("style", page.split("<style>")[1].split("</style>")[0]),
    ):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]
    data = page.split('id="manifest">')[1].split("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(data)
    assert json.loads(data)["sides"][0]["text"] == HOSTILE["script"]


def test_impossible_values_are_refused() -> None:
    for options in ({"max_mb": 0}, {"quality": "best"}):
        with pytest.raises(InputError, match=next(iter(options))):
            render(maps_of("a b"), ".html", **options)


def test_numbers_are_written_as_in_python() -> None:
    assert number(0.0123456) == "0.01235"
