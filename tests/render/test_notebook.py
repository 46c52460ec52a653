"""A result in a notebook's cell: as light or dark as the notebook, as high as it needs to be; an error is one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from drawn_maps import maps_of
from drawn_results import RESULTS
from IPython.core.interactiveshell import InteractiveShell
from playwright.sync_api import Browser, FrameLocator, Page, expect

import attnscope as ats
from attnscope.errors import InputError
from attnscope.render import notebook_html
from attnscope.results.collection import Failed, Results

SENTENCE = ats.Attribution.of("The cat sat on the mat.", ["The", "cat", "sat"], [0.1, 0.9, 0.4])
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(21, 23, 28)"


@contextmanager
def cell(browser: Browser, html: str, body: str = "", system: str = "light", root: str = "") -> Iterator[Page]:
    window = browser.new_context(color_scheme=system, viewport={"width": 900, "height": 700})  # type: ignore[arg-type]
    page = window.new_page()
    page.set_content(f"<html {root}><body {body}>{html}</body></html>")
    yield page
    window.close()


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


@pytest.mark.parametrize(
    ("root", "body", "dark"),
    [
        ("", 'data-jp-theme-light="true"', False),
        ("", 'data-jp-theme-light="false"', True),
        ("", 'data-vscode-theme-kind="vscode-light"', False),
        ("", 'data-vscode-theme-kind="vscode-dark"', True),
        ("", 'data-vscode-theme-kind="vscode-high-contrast"', True),
        ("", 'data-vscode-theme-kind="vscode-high-contrast-light"', False),
        ('theme="dark"', "", True),
        ("", 'class="dark"', True),
        ("", 'style="color: #ddd; background: #222"', True),
        ("", 'style="color: oklch(0.95 0 0)"', True),
        ("", 'style="color: #222"', False),
        ("", "", False),
    ],
)
def test_a_result_is_as_light_or_dark_as_its_notebook(browser: Browser, root: str, body: str, dark: bool) -> None:
    """Also where the system is the other way."""
    system = "light" if dark else "dark"
    with cell(browser, SENTENCE._repr_html_(), body, system, root) as page:
        expect(frame_of(page).locator("html")).to_have_css("background-color", DARK if dark else LIGHT)


def test_it_follows_when_the_notebook_changes_and_the_readers_choice_stays(browser: Browser) -> None:
    with cell(browser, SENTENCE._repr_html_(), 'data-jp-theme-light="true"', "dark") as page:
        html = frame_of(page).locator("html")
        expect(html).to_have_css("background-color", LIGHT)
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        expect(html).to_have_css("background-color", DARK)
        frame_of(page).locator("[data-part=more]").click()
        frame_of(page).locator("[data-part=theme]").click()
        expect(html).to_have_css("background-color", LIGHT)
        page.evaluate("document.body.dataset.jpThemeLight = 'true'")
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        expect(html).to_have_attribute("data-host", "dark")
        expect(html).to_have_css("background-color", LIGHT)


def test_the_canvases_of_the_explorer_follow_too(browser: Browser) -> None:
    corner = (
        "(canvas) => [...canvas.getContext('2d').getImageData(canvas.width - 1, 0, 1, 1).data].slice(0, 3).join() + "
        "getComputedStyle(canvas).backgroundColor"
    )
    with cell(browser, notebook_html(maps_of("a b c d e f g h")), 'data-jp-theme-light="true"', "light") as page:
        canvas = frame_of(page).locator(".tile canvas").first
        before = canvas.evaluate(corner)
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        expect(frame_of(page).locator("html")).to_have_css("background-color", DARK)
        page.wait_for_timeout(300)
        assert canvas.evaluate(corner) != before


def test_a_sentence_takes_little_and_all_of_it_when_asked(browser: Browser) -> None:
    with cell(browser, SENTENCE._repr_html_()) as page:
        frame, shown = page.locator("iframe"), frame_of(page)
        expect(shown.locator(".top")).to_be_hidden()
        page.wait_for_function("document.querySelector('iframe').offsetHeight < 260")
        assert shown.locator("html").evaluate("html => html.scrollHeight <= innerHeight")
        shown.locator("[data-part=more]").click()
        expect(shown.locator(".top")).to_be_visible()
        page.wait_for_function("document.querySelector('iframe').offsetHeight > 400")
        assert shown.locator("html").evaluate("html => html.scrollHeight <= innerHeight")
        shown.locator("[data-part=more]").click()
        page.wait_for_function("document.querySelector('iframe').offsetHeight < 260")
        assert frame.evaluate("frame => frame.contentDocument") is None  # neither reaches into the other


def test_a_cell_is_never_taller_than_a_screen(browser: Browser) -> None:
    many = ats.Attribution.of("word " * 3000, ["word"] * 3000, [0.5] * 3000)
    with cell(browser, notebook_html(many)) as page:
        page.wait_for_function("document.querySelector('iframe').offsetHeight === 900")


def test_the_explorer_stays_as_high_as_it_is(browser: Browser) -> None:
    """Its map is as high as its window, which in a cell is as high as the page: each would pull at the other."""
    with cell(browser, notebook_html(maps_of("a b c d e f g h"))) as page:
        frame_of(page).locator("[data-view=head]").click()
        page.wait_for_timeout(300)
        height = page.locator("iframe").evaluate("frame => frame.offsetHeight")
        page.wait_for_timeout(300)
        assert page.locator("iframe").evaluate("frame => frame.offsetHeight") == height
        assert height > 400


def test_a_frame_that_is_moved_still_follows(browser: Browser) -> None:
    with cell(browser, SENTENCE._repr_html_(), 'data-jp-theme-light="false"') as page:
        expect(frame_of(page).locator("html")).to_have_css("background-color", DARK)
        page.evaluate("document.body.append(document.createElement('div')); "
                      "document.querySelector('div').append(document.querySelector('iframe'))")  # fmt: skip
        expect(frame_of(page).locator("html")).to_have_css("background-color", DARK)
        page.evaluate("document.body.dataset.jpThemeLight = 'true'")
        expect(frame_of(page).locator("html")).to_have_css("background-color", LIGHT)


def test_a_page_by_itself_is_whole(browser: Browser) -> None:
    """Also in a frame of a page that says nothing."""
    import html

    page_alone = html.unescape(notebook_html(RESULTS["script"]).split(' srcdoc="')[1].removesuffix('"></iframe>'))
    with cell(browser, page_alone) as page:
        expect(page.locator(".top")).to_be_visible()
        expect(page.locator("[data-part=more]")).to_be_hidden()
    silent = notebook_html(RESULTS["script"]).replace(' onload="', ' data-off="')
    with cell(browser, silent, system="dark") as page:
        expect(frame_of(page).locator(".top")).to_be_visible()
        expect(frame_of(page).locator("html")).to_have_css("background-color", DARK)


def test_many_results_are_drawn_one_below_the_other_and_lists_of_lists_too() -> None:
    many = Results([*[SENTENCE] * 21, Failed("", "TextError", "the text is empty")])
    assert many._repr_html_().count("<iframe") == 20
    assert "2 more" in many._repr_html_()
    assert "TextError: the text is empty" in Results([many[-1]])._repr_html_()
    nested = Results([Results([SENTENCE, SENTENCE]), [SENTENCE]])
    assert nested._repr_html_().count("<iframe") == 3
    with pytest.raises(InputError, match="cannot draw a int"):
        Results([3])._repr_html_()


def test_an_error_is_one_line_in_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    shell = InteractiveShell()
    shell.run_cell("import attnscope as ats\nats.Attribution.of('a b', ['a', 'z'], [1, 2])")
    said = capsys.readouterr().out.strip().splitlines()
    assert len(said) == 1
    assert "InputError" in said[0]
    shell.run_cell("1 / 0")
    assert "Traceback" in capsys.readouterr().out  # the errors of others are as they were


def test_an_error_in_a_notebook_is_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "ja")
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    error = InputError("the list of texts is empty: give at least one")
    assert error._render_traceback_() == ["\x1b[31mInputError\x1b[0m: テキストのリストが空です。1 つ以上渡してください"]
    assert str(error) == "the list of texts is empty: give at least one"


def test_a_text_that_failed_says_so_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "ja")
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    many = Results([Failed("", "TextError", "the text is empty: give at least one word")])
    assert "テキスト 0：TextError：テキストが空です。単語を 1 つ以上入れてください" in many._repr_html_()
