import io
import re

import pytest
from drawn_results import RESULTS, per_byte
from rich.console import Console

from attnscope.render import print_result, render
from attnscope.render.colours import DARK
from attnscope.render.content.pieces import pieces, visible
from attnscope.results.attribution import Attribution

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _printed(name: str, *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
        width=100,
        legacy_windows=False,
    )
    print_result(RESULTS[name], console)
    return out.getvalue()


@pytest.mark.parametrize("name", RESULTS)
def test_piped_is_plain_and_the_same_as_txt(name: str) -> None:
    printed = _printed(name, terminal=False)
    assert printed.encode() == render(RESULTS[name], ".txt")
    assert not CONTROL.search(printed)


def test_colours_are_for_a_person_and_speak_their_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is piped is for a program: English everywhere."""
    name = next(iter(RESULTS))
    english, piped = _printed(name, terminal=True), _printed(name, terminal=False)
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    title = english.splitlines()[0]
    assert "Importance by" in title or "Attention" in title
    assert re.search("[ぁ-ん]", _printed(name, terminal=True).splitlines()[0])
    assert _printed(name, terminal=False) == piped


@pytest.mark.parametrize("name", RESULTS)
def test_one_row_per_word_with_its_numbers(name: str) -> None:
    result = RESULTS[name]
    _, table = render(result, ".txt").decode().split("\n\n", 1)
    header, *rows = table.removesuffix("\n").split("\n")
    assert header.split() == ["scaled", "score", "word"]
    assert len(rows) == len(result.words)
    shown = [piece.text for piece in pieces(result) if piece.word is not None]
    for row, word, scaled, text in zip(rows, result.words, result.scaled, shown, strict=True):
        first, second, *_ = row.split()
        assert float(first) == pytest.approx(2 * scaled - 1 if result.signed else scaled, abs=5e-4)
        assert float(second) == float(f"{word.score:.4g}")
        assert row.removesuffix("  ← query").endswith(visible(text))


@pytest.mark.parametrize("name", RESULTS)
def test_a_terminal_gets_nothing_of_the_texts_own_control(name: str) -> None:
    printed = _printed(name, terminal=True)
    without_styles = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    assert not CONTROL.search(without_styles)
    assert "\x1b]" not in printed


def test_the_highest_word_has_the_highest_colour() -> None:
    printed = _printed("english", terminal=True)
    best = max(RESULTS["english"].words, key=lambda w: w.score).text
    red, green, blue = (int(DARK.steps[-1][i : i + 2], 16) for i in (1, 3, 5))
    assert re.search(rf"48;2;{red};{green};{blue}m{best}\x1b", printed)


def test_markup_is_text() -> None:
    without_styles = re.sub(r"\x1b\[[0-9;]*m", "", _printed("markup", terminal=True))
    assert "[bold] [/bold] [red]x[/] :smile: [link=http://example.com]y[/link]" in without_styles


def test_the_caption_is_there() -> None:
    for terminal in (True, False):
        printed = re.sub(r"\x1b\[[0-9;]*m", "", _printed("english", terminal=terminal))
        for fact in ("castle", "29", "mean", "tests/tiny", "71.3%", "min–max"):
            assert fact in printed


def test_a_signed_row_shows_which_way_its_bar_goes() -> None:
    drawn = Attribution.of("a b c", ["a", "b", "c"], [-2.0, 0.0, 1.0], signed=True)
    rows = render(drawn, ".txt").decode().splitlines()[-3:]
    assert [row.split()[0] for row in rows] == ["-1.000", "0.000", "0.500"]
    assert ["█" in row for row in rows] == [True, False, True]


def test_target_tokens_that_share_a_character_are_one_text() -> None:
    out = io.StringIO()
    print_result(per_byte(), Console(file=out, width=100))
    for shown in (out.getvalue(), render(per_byte(), ".txt").decode()):
        assert re.findall(r"target_token: (.*)", shown) == ["東", "京", "。"]
