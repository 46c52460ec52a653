"""The view of the text: what a word attends to, in colour behind the words."""

from pathlib import Path

import numpy as np
from browsing import go, opened, ready
from drawn_maps import TEXT, kept, maps_of
from playwright.sync_api import Browser, expect

from attnscope.render import render


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
