"""The playground's page in a real browser: typed texts, clicked words, and everything by keyboard."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from browsing import Served, painted, running, serious, visited
from hostile_results import HOSTILE
from playwright.sync_api import Browser, Page, expect
from tiny_models import small

import attnscope as ats
from attnscope.render.html.live.playground import playground_page
from attnscope.serve import answers

TEXT = "a b c d e f"


def typed(page: Page, text: str) -> None:
    page.locator("[data-part=input]").press_sequentially(text)


def test_the_page_holds_no_text_and_allows_nothing_but_itself() -> None:
    page, policy = playground_page(["</script><b>"], [("gradient", "a unit")])
    assert b"</script><b>" not in page
    assert "unsafe" not in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_text_that_is_typed_is_painted_as_explain_scores_it(browser: Browser, served: Served) -> None:
    model = served.session.worker("").model
    with visited(browser, served) as page:
        typed(page, TEXT)
        painted(page, 6)
        target = page.locator("[data-part=next] button").first.get_attribute("data-text")
        expect(page.locator("[data-part=next] li")).to_have_count(10)
        page.locator("[data-part=next] button").first.click()
        expect(page.locator("[data-part=next] button").first).to_have_attribute("aria-pressed", "true")
        expected = ats.explain(model, TEXT, "gradient", target=target)
        best = max(expected.words, key=lambda word: word.score)
        expect(page.locator("[data-part=importance-holder] [data-part=top-rows] tr").first).to_contain_text(best.text)
        page.locator("[data-part=method]").select_option("deletion")
        expect(page.locator("[data-part=importance-holder] h1")).to_have_text("Importance by deletion")
        # The address leads back to what is seen.
        expect(page).to_have_url(re.compile("method=deletion"))
        page.reload()
        expect(page.locator("[data-part=importance-holder] h1")).to_have_text("Importance by deletion")
        assert page.locator("[data-part=input]").input_value() == TEXT


def test_a_clicked_word_shows_its_attention_and_a_word_taken_away_its_effect(browser: Browser, served: Served) -> None:
    with visited(browser, served, f"#text={TEXT}") as page:
        painted(page, 6)
        page.locator("[data-part=importance-holder] .u").nth(3).click()
        maps = page.locator("[data-part=maps-holder]")
        expect(maps.locator("[data-part=top-title]")).to_have_text("d attends to")
        page.evaluate("document.activeElement.blur()")
        maps.locator("[data-part=head-next]").click()
        expect(maps.locator("[data-part=head-number]")).to_have_value("1")
        maps.locator("[data-part=head-next]").press("]")
        expect(maps.locator("[data-part=head-number]")).to_have_value("2")
        maps.locator("nav [data-view=overview]").click()
        expect(maps.locator(".tile")).to_have_count(12)
        page.locator("[data-panel=without]").click()
        words = page.locator("[data-part=without-text] .u")
        words.nth(1).click()
        words.nth(4).click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without “b”, “e”")
        expect(page.locator("[data-part=less-value]")).to_contain_text("changed by")
        page.locator("[data-part=undo]").click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without “b”")
        page.locator("[data-part=put-back]").click()
        expect(page.locator("[data-part=without-says]")).to_have_text("")


def test_tokens_are_generated_and_both_ways_shown(browser: Browser, served: Served) -> None:
    with visited(browser, served, "#text=a b c d e&panel=generate") as page:
        page.locator("[data-part=count]").fill("2")
        page.locator("[data-part=generate]").click()
        chips = page.locator("[data-part=tokens-holder] [data-part=targets] label")
        expect(chips.first).to_be_visible()
        page.locator("[data-part=tokens-holder] .u").first.hover()
        expect(chips.first).to_have_class(re.compile(r"^s\d+$"))


def test_an_input_method_is_let_finish(browser: Browser, served: Served) -> None:
    with visited(browser, served) as page:
        field = page.locator("[data-part=input]")
        field.focus()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(str(request.post_data)) if "ask" in request.url else None)
        session = page.context.new_cdp_session(page)
        for part in ("a", "a b", "a b c"):
            session.send("Input.imeSetComposition", {"text": part, "selectionStart": 1, "selectionEnd": 1})
            page.wait_for_timeout(80)
        assert asked == []
        session.send("Input.insertText", {"text": "a b c d"})
        painted(page, 4)
        importance = [json.loads(body) for body in asked if json.loads(body)["ask"] == "importance"]
        assert [question["text"] for question in importance] == ["a b c d"]


def test_files_code_and_what_was_seen_before(browser: Browser, served: Served, tmp_path: Path) -> None:
    with visited(browser, served, f"#text={TEXT}") as page:
        painted(page, 6)
        with page.expect_download() as saved:
            page.get_by_role("button", name="HTML").click()
        saved.value.save_as(tmp_path / "saved.html")
        assert "Importance by gradient" in (tmp_path / "saved.html").read_text("utf-8")
        page.locator("[data-part=code] summary").click()
        expect(page.locator("[data-part=python]")).to_contain_text(f"text = '{TEXT}'")
        expect(page.locator("[data-part=command]")).to_contain_text("attnscope explain")
        page.locator("[data-part=input]").fill("f e d")
        painted(page, 3)
        page.locator("[data-part=seen] summary").click()
        page.locator("[data-part=history] button").last.click()
        painted(page, 6)


def test_what_is_wrong_is_said_in_the_page_and_gone_with_it(browser: Browser, served: Served) -> None:
    with visited(browser, served) as page:
        page.locator("[data-part=input]").fill("a " * 95)
        expect(page.locator("[data-part=error]")).to_contain_text("up to 90 can be played with")
        page.locator("[data-part=input]").fill("a b")
        painted(page, 2)
        expect(page.locator("[data-part=error]")).to_be_hidden()


def test_a_server_that_is_started_again_is_found_again(browser: Browser) -> None:
    model = small("llama", sharp=2.0)
    with running(model) as first:
        port = first.port
        window = browser.new_context()
        page = window.new_page()
        page.goto(first.address + f"#text={TEXT}")
        painted(page, 6)
    page.locator("[data-part=input]").fill("a b c")
    expect(page.locator("[data-part=error]")).to_contain_text("The server does not answer")
    with running(model, port=port):
        painted(page, 3)
        expect(page.locator("[data-part=error]")).to_be_hidden()
    window.close()


def test_a_server_that_is_started_again_with_another_token_is_told_apart_and_found_again(browser: Browser) -> None:
    model = small("llama", sharp=2.0)
    with running(model) as first:
        port = first.port
        window = browser.new_context()
        page = window.new_page()
        page.goto(first.address + f"#text={TEXT}")
        painted(page, 6)
    error = page.locator("[data-part=error]")
    with running(model, port=port, token="u" * 43):
        page.locator("[data-part=input]").fill("a b c")
        expect(error).to_contain_text("started anew, and does not know this page. Open the address")
    expect(error).to_contain_text("The server does not answer")
    with running(model, port=port, token="v" * 43) as third:
        expect(error).to_contain_text("started anew")
        window.new_page().goto(third.address)
        painted(page, 3)
        expect(error).to_be_hidden()
    window.close()


def test_another_program_at_the_address_is_named(browser: Browser) -> None:
    with running(small("llama", sharp=2.0)) as served:
        window = browser.new_context()
        page = window.new_page()
        page.goto(served.address + f"#text={TEXT}")
        painted(page, 6)
    with HTTPServer(("127.0.0.1", served.port), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        page.locator("[data-part=input]").fill("a b c")
        expect(page.locator("[data-part=error]")).to_contain_text("Another program answers at this address now")
        other.shutdown()
    window.close()


def test_hostile_texts_stay_texts(browser: Browser, served: Served) -> None:
    text = "a " + " ".join(each.replace("\0", "").replace("\ud800", "") for each in HOSTILE[:4])
    with visited(browser, served) as page:
        page.locator("[data-part=input]").fill(text)
        expect(page.locator("[data-part=importance-holder] [data-part=text]")).to_have_text(text)
        page.locator("[data-panel=without]").click()
        expect(page.locator("[data-part=without-text]")).to_have_text(text)
        page.locator("[data-panel=attention]").click()
        expect(page.locator("[data-part=maps-holder] [data-part=text-query]")).to_have_text(text)


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "dark"),
        pytest.param(360, "light", marks=pytest.mark.slow),
        pytest.param(1280, "dark", marks=pytest.mark.slow),
        pytest.param(1280, "light", marks=pytest.mark.slow),
    ],
)
def test_every_view_is_open_to_everybody(browser: Browser, served: Served, width: int, scheme: str) -> None:
    address = f"#text={TEXT}&versus=text&otherText=a c"
    with visited(browser, served, address, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:

        def open_to_everybody() -> None:
            assert serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width

        painted(page, 6)
        open_to_everybody()
        page.locator("[data-part=importance-holder] .u").nth(3).click()
        expect(page.locator("[data-part=strips] button")).to_have_count(12)
        expect(page.locator("[data-part=maps-holder] [data-part=text-query] .u").first).to_be_visible()
        open_to_everybody()
        page.locator("[data-panel=without]").click()
        page.locator("[data-part=without-text] .u").nth(1).click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without “b”")
        open_to_everybody()
        page.locator("[data-panel=generate]").click()
        page.locator("[data-part=count]").fill("3")
        page.locator("[data-part=generate]").click()
        expect(page.locator("[data-part=stop]")).to_be_hidden()
        expect(page.locator("[data-part=stream]")).not_to_be_empty()
        open_to_everybody()
        page.locator("[data-panel=compare]").click()
        expect(page.locator("[data-part=difference-rows] tr").first).to_be_visible()
        open_to_everybody()
        page.locator("[data-panel=without]").click()
        page.locator("[data-part=kind]").select_option("passages")
        page.locator("[data-part=parts] textarea").first.fill("c d")
        page.locator("[data-part=segments] button").first.click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without passage 1")
        open_to_everybody()


def test_all_of_it_by_keyboard(browser: Browser, served: Served) -> None:
    with visited(browser, served) as page:
        page.keyboard.type("a b c d")
        painted(page, 4)
        word = page.locator("[data-part=importance-holder] .u").first
        for _ in range(40):
            page.keyboard.press("Tab")
            if word.evaluate("node => node === document.activeElement"):
                break
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=maps-holder] [data-part=top-title]")).to_have_text("b attends to")


def test_a_token_that_is_clicked_takes_its_word_away(browser: Browser, served: Served) -> None:
    with visited(browser, served, "#text=a b%20%20c d&click=without") as page:
        painted(page, 4)
        page.locator("[data-part=importance-holder] [data-state=unit][value=token]").check()
        tokens = page.locator("[data-part=importance-holder] [data-part=text] .u")
        at = tokens.evaluate_all("spans => spans.findLastIndex((span) => span.textContent.trim() === 'c')")
        tokens.nth(at).click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without “c”")


def test_what_belongs_to_another_text_is_not_shown(browser: Browser, served: Served) -> None:
    with visited(browser, served, f"#text={TEXT}") as page:
        painted(page, 6)
        page.locator("[data-panel=without]").click()
        page.locator("[data-part=without-text] .u").nth(1).click()
        expect(page.locator("[data-part=without-says]")).to_have_text("Without “b”")
        page.locator("[data-panel=importance]").click()
        asked: list[dict[str, object]] = []
        page.on("request", lambda r: asked.append(json.loads(r.post_data or "{}")) if "ask" in r.url else None)
        page.locator("[data-part=input]").fill("f e d c")
        painted(page, 4)
        page.locator("[data-panel=without]").click()
        expect(page.locator("[data-part=without-text] .u")).to_have_count(4)
        expect(page.locator("[data-part=without-says]")).to_have_text("")
        assert all(not each["removed"] for each in asked if each["ask"] == "without")
        # What is refused, or gone, leaves nothing of the text before.
        page.locator("[data-part=input]").fill("a " * 95)
        expect(page.locator("[data-part=error]")).to_be_visible()
        for panel in ("importance-holder", "without-text", "maps-holder"):
            expect(page.locator(f"[data-part={panel}] .u")).to_have_count(0)
        page.locator("[data-part=input]").fill("a b")
        painted(page, 2)
        page.locator("[data-part=input]").fill("")
        painted(page, 0)


def test_what_takes_long_says_so_first(browser: Browser, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONG", -1.0)
    served.session.kept.clear()
    with visited(browser, served, f"#text={TEXT}&method=deletion") as page:
        expect(page.locator("[data-part=plan-says]")).to_contain_text("deletion of 6 tokens takes up to")
        painted(page, 0)
        page.locator("[data-part=go]").click()
        painted(page, 6)
        expect(page.locator("[data-part=plan]")).to_be_hidden()
        page.locator("[data-panel=generate]").click()
        page.locator("[data-part=generate]").click()
        expect(page.locator("[data-part=plan-says]")).to_contain_text("generate 20")
        page.locator("[data-part=stop]").click()
        expect(page.locator("[data-part=plan]")).to_be_hidden()
