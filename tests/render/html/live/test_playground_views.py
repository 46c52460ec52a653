"""What the playground's views do beside the first: taking away, comparing, every head, chats and passages."""

import json
import re

import pytest
from browsing import Served, painted, running, visited
from playwright.sync_api import Browser, Page, expect
from tiny_models import small

import attnscope as ats
from attnscope.serve import answers

TEXT = "a b c d e f"


def test_heads_edges_and_words_go_together_and_come_back(browser: Browser, served: Served) -> None:
    with visited(browser, served, f"#text={TEXT}&panel=without") as page:
        painted(page, 6)
        says = page.locator("[data-part=without-says]")
        page.locator("[data-part=gone-layer]").fill("1")
        page.locator("[data-part=gone-head]").fill("2")
        page.locator("[data-part=take-head]").click()
        expect(says).to_have_text("Without head 1.2")
        less = page.locator("[data-part=less-value]")
        effect = ats.knock_out(served.session.worker("").model, TEXT, target=str(about(page)), heads=[(1, 2)]).effect
        expect(less).to_contain_text("changed by")
        shown = float(str(less.text_content()).rsplit(" ", 1)[1].replace("−", "-"))
        assert shown == pytest.approx(-effect, abs=1e-4)
        page.locator("[data-part=take-edge]").click()
        expect(says).to_have_text("Without head 1.2, “f” → “a”")
        page.locator("[data-part=without-text] .u").nth(1).click()
        expect(says).to_have_text("Without head 1.2, “f” → “a”, “b”")
        expect(page).to_have_url(re.compile("gone=h1.2.*w1"))
        page.reload()
        expect(says).to_have_text("Without head 1.2, “f” → “a”, “b”")
        page.locator("[data-part=undo]").click()
        page.locator("[data-part=others-gone] button").first.click()
        expect(says).to_have_text("Without “f” → “a”")
        page.locator("[data-part=code] summary").click()
        expect(page.locator("[data-part=python]")).to_contain_text("ats.knock_out(model, text, target=")


def about(page: Page) -> str | None:
    return page.locator("[data-part=next] button").first.get_attribute("data-text")


def test_a_clicked_word_is_seen_in_every_head(browser: Browser, served: Served) -> None:
    with visited(browser, served, f"#text={TEXT}") as page:
        painted(page, 6)
        page.locator("[data-part=importance-holder] .u").nth(3).click()
        strips = page.locator("[data-part=strips] button")
        expect(strips).to_have_count(12)
        expect(page.locator("[data-part=strips-title]")).to_have_text("“d” in every head")
        strips.first.press("ArrowDown")
        expect(strips.nth(4)).to_be_focused()
        strips.nth(6).click()
        expect(page.locator("[data-part=maps-holder] [data-part=head-number]")).to_have_value("2")
        expect(page.locator("[data-part=maps-holder] [data-part=layer]")).to_have_value("1")
        expect(page).to_have_url(re.compile("word=6"))
        page.reload()
        expect(page.locator("[data-part=strips-title]")).to_have_text("“d” in every head")


def test_a_question_with_passages_and_a_passage_taken_away(browser: Browser, served: Served) -> None:
    with visited(browser, served, "#text=a b") as page:
        painted(page, 2)
        page.locator("[data-part=kind]").select_option("passages")
        page.locator("[data-part=parts] textarea").fill("c d")
        page.locator("[data-part=add-part]").click()
        page.keyboard.type("e f")
        expect(page.locator("[data-part=importance-holder] [data-part=text]")).to_have_text(re.compile("c d\\s+e f"))
        page.locator("[data-panel=without]").click()
        page.locator("[data-part=segments] button").nth(1).click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without passage 2")
        expect(page.locator("[data-part=without-text] .u.gone")).to_have_count(2)
        expect(page).to_have_url(re.compile("gone=s1"))
        page.reload()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without passage 2")
        expect(page.locator("[data-part=parts] textarea").last).to_have_value("e f")


@pytest.mark.parametrize("versus", ["text", "method", "model"])
def test_two_are_compared_and_what_differs_is_marked(browser: Browser, versus: str) -> None:
    other = small("mistral", sharp=3.0)
    models = small("llama", sharp=2.0), ats.Model(other.model, other.tokenizer, "other")
    address = f"#text={TEXT}&panel=compare&versus={versus}&otherText=a c"
    with running(*models) as served, visited(browser, served, address) as page:
        rows = page.locator("[data-part=difference-rows] tr")
        expect(rows.first).to_be_visible()
        expect(page.locator("[data-part=left-holder] [data-part=text] .u")).to_have_count(6)
        expect(page.locator("[data-part=right-holder] [data-part=text] .u")).to_have_count(2 if versus == "text" else 6)
        assert page.locator("[data-part=compared] .u.more, [data-part=compared] .u.less").count()
        with page.expect_download() as saved:
            page.get_by_role("button", name="JSON").click()
        assert json.loads(saved.value.path().read_text("utf-8"))["type"] == "comparison"


@pytest.mark.slow
def test_a_chat_is_asked_turn_by_turn(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONG", 1e9)  # a busy machine is asked about nothing
    with running(ats.load()) as served, visited(browser, served, "#text=Hello") as page:
        page.locator("[data-part=kind]").select_option("chat")
        expect(page.locator("[data-part=importance-holder] .u")).not_to_have_count(1, timeout=20_000)
        page.locator("[data-panel=without]").click()
        page.locator("[data-part=segments] button").last.click()
        expect(page.locator("[data-part=without-says]")).to_contain_text("Without")


# Two English words in a row: none is left but in names of methods and in code.
_ENGLISH = re.compile(r"[A-Za-z’']{2,} [A-Za-z’']{2,}")
_SEEN = """() => {
    const own = (e) => !e.closest('pre, .provenance, [data-part=method], [data-part=other-method], option[lang]');
    const all = [...document.querySelectorAll('body *')].filter((e) => own(e) && e.checkVisibility());
    return all.flatMap((e) => [
        e.ariaLabel, e.title, e.placeholder,
        ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data),
    ]).filter(Boolean);
}"""


def test_every_view_is_japanese_for_a_japanese_reader(browser: Browser, served: Served) -> None:
    for panel in ("importance", "attention", "without", "generate", "compare"):
        state = f"#text=a b c d e&panel={panel}&word=0&gone=w0,h1.2,e2>0&otherText=a b d"
        with visited(browser, served, state, locale="ja-JP") as page:
            painted(page, 5)
            if panel == "generate":
                page.locator("[data-part=count]").fill("2")
                page.locator("[data-part=generate]").click()
                expect(page.locator("[data-part=tokens-holder] [data-part=text]")).to_be_visible()
                expect(page.locator("[data-part=tokens-holder] section[data-part=whole]")).to_have_count(0)
            if panel == "without":
                expect(page.locator("[data-part=without-says]")).to_contain_text("ヘッド 1.2")
            if panel == "compare":
                expect(page.locator("[data-part=moved]")).to_contain_text("別の単語")
            if panel == "attention":
                expect(page.locator("[data-part=strips-title]")).to_have_text("全ヘッドでの「a」")
            left = [words for words in page.evaluate(_SEEN) if _ENGLISH.search(words)]
            assert not left, panel
    with visited(browser, served, f"#text={TEXT}&kind=passages&parts=[{{}}]", locale="ja-JP") as page:
        expect(page.locator("[data-part=add-part]")).to_have_text("文書を追加")
