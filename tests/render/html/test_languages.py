"""Pages in Japanese: written so, and turned so by the browser of a Japanese reader."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from drawn_results import EVERY
from playwright.sync_api import Browser

from attnscope import Results, save
from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.html.languages import differences

# Names that are the same in every language: of methods, formats, models, papers; and the results' own words.
_NAMES = r"""
    arXiv:[\d.]+ | Abnar\ &\ Zuidema | tests/<?tiny>? | tiny | attnscope | attention\ sdpa | dtype\ float32
    | gradient | deletion | random | gim | min–max | nats? | log | nan | IoU | AOPC | Holm | PNG | SVG | CSV | JSON
    | [Ee]nter | Esc | Tab | Shift | Ctrl | Space | sum | mean | pool | norm | pad | baseline | yes | typo | area | fall
    | castle | hill | river | Who\ built\ the\ castle\? | loss | what\ <b>\ it\ is | predicted\ <good>
    | attention:\ no\ <attention>\ here | A\ note\ about\ +crow | A\ note
"""


_WORDS = """() => [
    document.documentElement.lang, document.title, document.body.innerText,
    ...[...document.querySelectorAll("*")].flatMap((e) => [e.ariaLabel, e.title, e.placeholder, e.lang]),
].filter(Boolean).join("\\n")"""


class _Shown(HTMLParser):
    """The page's own words: texts and labels, but for those of the user's (`bdi`, `q`, or with a direction)."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        users = tag in ("script", "style", "bdi", "q") or "dir" in given or given.get("aria-hidden") == "true"
        users = users or "passage" in (given.get("class") or "")
        if not self._hidden():
            self.words += [said for name in ("aria-label", "title", "placeholder") if (said := given.get(name))]
        if tag not in ("input", "meta", "col"):
            self._open.append((tag, users))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not self._hidden() and data.strip():
            self.words.append(data.strip())

    def _hidden(self) -> bool:
        return any(users for _, users in self._open)


@pytest.mark.parametrize("name", EVERY)
def test_a_japanese_page_says_nothing_in_english(name: str) -> None:
    said = _Shown(render(EVERY[name], ".html", lang="ja")).words
    known = re.compile(_NAMES, re.VERBOSE)
    english = [words for words in said if re.search(r"[A-Za-z]{3}", known.sub("", words))]
    assert not english
    # The scan sees words: the English page has many.
    assert (
        len(
            [
                words
                for words in _Shown(render(EVERY[name], ".html", lang="en")).words
                if re.search(r"[A-Za-z]{3}", known.sub("", words))
            ]
        )
        > 9
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_browser_makes_of_the_page_what_python_writes(name: str, browser: Browser, tmp_path: Path) -> None:
    seen = {}
    for lang, locale in (("ja", "en-US"), (None, "ja-JP"), ("en", "ja-JP"), (None, "en-US")):
        page = browser.new_page(locale=locale)
        errors: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.goto(save(EVERY[name], tmp_path / "page.html", **({"lang": lang} if lang else {})).as_uri())
        page.wait_for_timeout(150)
        assert not errors
        seen[lang, locale] = page.evaluate(_WORDS)
        page.close()
    assert seen["ja", "en-US"] == seen[None, "ja-JP"]
    assert seen["en", "ja-JP"] == seen[None, "en-US"]
    assert seen[None, "ja-JP"] != seen[None, "en-US"]


@pytest.mark.parametrize("name", EVERY)
def test_a_page_for_all_readers_is_hardly_larger(name: str) -> None:
    whole, english = (len(render(EVERY[name], ".html", **options)) for options in ({}, {"lang": "en"}))
    assert 0 < whole - english < 7_000


def test_the_index_of_many_pages_is_in_their_language(tmp_path: Path) -> None:
    folder = save(Results([EVERY["attribution"]]), tmp_path / "pages", lang="ja")
    assert "1 件の結果" in (folder / "index.html").read_text("utf-8")
    assert "による重要度" in (folder / "0.html").read_text("utf-8")


def test_another_language_is_refused() -> None:
    with pytest.raises(InputError, match="expected one of en, ja"):
        render(EVERY["attribution"], ".html", lang="fr")


def test_pages_of_other_elements_are_no_translations() -> None:
    with pytest.raises(ValueError, match="other elements"):
        differences("<p>a</p>", "<p>a<b>b</b></p>")
    with pytest.raises(ValueError, match="where it has <p>"):
        differences("<p>a</p>", "<q>a</q>")
    assert differences('<p title="a &amp; b">x</p>', '<p title="c &amp; d">x</p>') == ([], [(0, "title", "c & d")])
