"""Hostile strings through every string of every result, into every format.

A result of each type is walked field by field, and every string in it, keys of mappings too, becomes a hostile one. The
same result with tame strings in their places is drawn beside it: whatever a format is made of, elements and attributes
of a page, commands of LaTeX, lines in a terminal, has to be the same in both.
"""

import csv
import dataclasses
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet
import pytest
from browsing import opened
from hostile_results import BASES, HOSTILE, TAME, Swap
from playwright.sync_api import Browser, Dialog

from attnscope.render import RENDERERS, notebook_html, render
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.results.evaluation import Evaluation
from attnscope.results.per_token import PerToken

DRAWN = ("png", "svg", "pdf")
WRITTEN = [(kind, suffix) for kind, row in RENDERERS.items() for suffix in row if suffix[1:] not in DRAWN]


@cache
def swapped(kind: type, strings: tuple[str, ...], turn: int) -> Any:
    """A result of this type with its strings swapped. turn: which of the strings the first field gets."""
    turned = strings[turn:] + strings[:turn]
    return Swap(turned)(BASES[kind](turned))


def heaped(kind: type, heap: str) -> Any:
    """A result with much that is hostile in each of its strings; words hold one string each."""
    return Swap((heap,))(BASES[kind](HOSTILE))


@cache
def tame(kind: type, suffix: str) -> bytes:
    return render(swapped(kind, TAME, 0), suffix)


@pytest.mark.parametrize("kind", RENDERERS)
def test_every_string_of_every_result_is_swapped(kind: type) -> None:
    swap = Swap(HOSTILE)
    result = swap(BASES[kind](HOSTILE))
    types = {type(value) for value in walked(result)}
    fields = {(each, f.name) for each in types for f in dataclasses.fields(each) if "str" in str(f.type)}
    assert fields <= swap.seen, f"give the result that this test is made of a string in {fields - swap.seen}"
    assert type(result) is kind


def walked(value: Any) -> Iterator[Any]:
    """A result and every dataclass in it."""
    if dataclasses.is_dataclass(value):
        yield value
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, tuple | list):
        for each in value:
            yield from walked(each)


def strings_of(value: Any) -> set[str]:
    """Every string in a result or a document, keys too."""
    if isinstance(value, str):
        return {value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    return set().union(*map(strings_of, value)) if isinstance(value, tuple | list) else set()


@pytest.mark.parametrize(("kind", "suffix"), WRITTEN, ids=lambda value: getattr(value, "__name__", value))
def test_every_string_in_every_place(kind: type, suffix: str, tmp_path: Path) -> None:
    for turn in range(len(HOSTILE)):
        result = swapped(kind, HOSTILE, turn)
        CHECKS.get(suffix, check_text)(result, render(result, suffix), tame(kind, suffix), tmp_path)


class Reader(HTMLParser):
    """What a page is made of, and what it says.

    shape: tags, with the names of their attributes; said: texts and values of attributes outside of passages, which
    show their text as it is; inert: the data; raw: scripts, styles and addresses, of which no string may be a part.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.shape: list[tuple[str, ...]] = []
        self.said: list[str] = []
        self.inert: list[str] = []
        self.raw: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, *(name for name, _ in attrs)))
        self.raw += [f"{name} {value}" for name, value in attrs if name in ("href", "src", "style", "content", "id")]
        if tag not in ("meta", "input", "col"):
            self._open.append((tag, dict(attrs)))
        self.said += [value or "" for _, value in attrs]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self.shape.append((f"/{tag}",))
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, attrs = self._open[-1] if self._open else ("", {})
        if tag == "script" and "data-speech" in attrs:
            pass  # what the page says in other languages, deflated: tests/render/html/test_languages.py
        elif tag == "script" and attrs.get("type") in ("application/json", "application/octet-stream"):
            self.inert.append(data)
        elif tag in ("script", "style"):
            self.raw.append(data)
        elif not any("passage" in (a.get("class") or "").split() for _, a in self._open):
            self.said.append(data)

    def handle_comment(self, data: str) -> None:
        self.shape.append(("a comment", data))

    def unknown_decl(self, data: str) -> None:
        self.shape.append(("a declaration", data))


def unsafe(text: str, keep: str = "\n") -> set[str]:
    """Characters that move a cursor, or turn the direction of what stands around."""
    turning = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return {c for c in set(text) - set(keep) if c in turning or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}


def check_html(result: Any, page: bytes, plain: bytes, _: Path) -> None:
    read, expected = Reader(page), Reader(plain)
    assert read.shape == expected.shape
    assert read.raw == expected.raw
    assert not unsafe("".join(read.said))
    data = json.loads(read.inert[0])
    if isinstance(result, AttentionMaps):
        assert [side["text"] for side in data["sides"]] == [result.query_side.text, result.key_side.text]
    else:
        assert data == json.loads(result.to_json())


def check_json(result: Any, document: bytes, _: bytes, __: Path) -> None:
    parsed = json.loads(document.decode())
    # Of a map's tokens and words the document has places, and of the mapping of statistics those that were kept.
    assert strings_of(result) <= strings_of(parsed)
    if isinstance(result, Attribution | PerToken | Comparison):
        assert type(result).from_json(document.decode()) == result


def check_lines(result: Any, document: bytes, _: bytes, folder: Path) -> None:
    (folder / "rows.jsonl").write_bytes(document)
    assert Evaluation.load(folder / "rows.jsonl") == result


def check_safetensors(result: Any, document: bytes, _: bytes, folder: Path) -> None:
    (folder / "maps.safetensors").write_bytes(document)
    again = AttentionMaps.load(folder / "maps.safetensors")
    assert (again.query_side, again.key_side) == (result.query_side, result.key_side)
    assert (again.asked, again.provenance) == (result.asked, result.provenance)


def check_csv(result: Any, document: bytes, plain: bytes, _: Path) -> None:
    rows, expected = (list(csv.reader(io.StringIO(each.decode(), newline=""))) for each in (document, plain))
    assert [len(row) for row in rows] == [len(row) for row in expected]
    cells = [cell for row in rows for cell in row]
    for cell in cells:
        assert not re.match(r"[=+\-@\t\r\n]", cell) or re.fullmatch(r"-[\d.]+(e-?\d+)?", cell), f"{cell!r} is a formula"
    texts = {re.sub(r"^'(?=[=+\-@\t\r\n])", "", cell) for cell in cells}
    if isinstance(result, Evaluation):
        written = {*result.methods, *result.metrics}
    elif not isinstance(result, Comparison | Comparisons):
        written = strings_of([column.tolist() for column in result.columns().values()])
    else:
        pairs = result.pairs if isinstance(result, Comparisons) else (result,)
        written = {w.text for pair in pairs for side in (pair.left, pair.right) for w in side.result.words}
    # Half a surrogate pair has no UTF-8.
    assert {text.encode("utf-8", "backslashreplace").decode() for text in written} <= texts


def check_parquet(result: Any, document: bytes, _: bytes, __: Path) -> None:
    read = pyarrow.parquet.read_table(io.BytesIO(document)).to_pydict()
    assert {name: strings_of(column) for name, column in read.items()} == {
        name: strings_of(column.tolist()) for name, column in result.columns().items()
    }


_TEX_ESCAPED = re.compile(
    r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textasciigrave)\{\}"
    r"|\\attncode\{[0-9A-F]{4,6}\}|\\attn(?:char|cjk)\{[0-9A-F]{4,6}\}\{[^\x00-\x7f]\}|\{\\char34\}|[-',]\{\}|\$-\$"
    r"|\\[{}$&#_%]"
)


def check_tex(_: Any, document: bytes, plain: bytes, __: Path) -> None:
    def read(source: str) -> tuple[list[str], str]:
        """What TeX does not simply typeset, below the comments; and the rows without what strings put in them."""
        # An empty group keeps what begins a row from being read as the argument of the row above.
        bare = re.sub(r"\{\}(?=[\[*])", "", _TEX_ESCAPED.sub("x", source))
        rows = "\n".join(line for line in bare.splitlines() if not line.startswith("%"))
        return re.findall(r"\\[a-zA-Z]+|\\.|[{}$&#_%~^]", rows), rows

    source = document.decode()
    assert not re.search(r"(?:\\\\|\\tabularnewline)\s*(?:\[|\*)", source), (
        "what begins a row is read as the argument of the one above"
    )
    (commands, rows), (tame, _rows) = read(source), read(plain.decode())
    # How many boxes a text has, and how wide its columns are, goes by its length; which commands there are does not.
    by_length = {r"\raggedright", r"\hspace", r"\attnword", r"\linewidth", r"\hfill", "~"}
    assert set(commands) - by_length == set(tame) - by_length
    for once in ("&", "#", "^", r"\\", r"\tabularnewline", r"\begin", r"\end"):
        assert commands.count(once) == tame.count(once), once
    assert commands.count("{") == commands.count("}")
    # What begins with \attnword is a box, and a comment of ours begins a line.
    assert not re.search(r"(?m)^[^%\n]*[^{]%", rows.replace("{%", "{"))
    assert not unsafe(source)


def check_text(_: Any, document: bytes, plain: bytes, __: Path) -> None:
    """What every format of text has to keep: a string neither ends a line nor controls a terminal."""
    text = document.decode()
    assert not unsafe(text)
    assert len(text.split("\n")) == len(plain.decode().split("\n"))


CHECKS: dict[str, Callable[[Any, bytes, bytes, Path], None]] = {
    ".html": check_html, ".json": check_json, ".jsonl": check_lines, ".safetensors": check_safetensors,
    ".csv": check_csv, ".parquet": check_parquet, ".tex": check_tex,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::attnscope.render.figure.fonts.MissingGlyphWarning")
# A caption that is all heaps leaves no room for the axes.
@pytest.mark.filterwarnings("ignore:constrained_layout not applied:UserWarning")
@pytest.mark.parametrize("kind", [kind for kind, row in RENDERERS.items() if ".svg" in row])
def test_figures(kind: type) -> None:
    """All that XML, fonts and mathematics fear in each place at once, since a figure takes long."""
    result = heaped(kind, ']]></g><script>&"\0\x1b\u202e\ud800\ufeff\ufffe $x^2 \\frac{_$')
    drawn = ElementTree.fromstring(render(result, ".svg"))
    names = Counter(element.tag for element in drawn.iter())
    assert set(names) <= {element.tag for element in ElementTree.fromstring(tame(kind, ".svg")).iter()}
    for element in drawn.iter():
        assert not [name for name in element.attrib if name.startswith("on")]
        links = [value for name, value in element.attrib.items() if name.endswith("href")]
        assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert render(result, ".png").startswith(b"\x89PNG\r\n")
    assert render(result, ".pdf").startswith(b"%PDF-")


@pytest.mark.parametrize("kind", RENDERERS)
def test_nothing_runs_in_a_browser(browser: Browser, tmp_path: Path, kind: type) -> None:
    result = heaped(kind, " ".join(HOSTILE))
    page = render(result, ".html")
    dialogs: list[Dialog] = []
    with opened(browser, tmp_path, page) as shown:
        shown.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
        shown.evaluate(
            """() => {
                const pressed = ".u, li, th, button:not([data-part^=save]), label, summary";
                for (const element of document.querySelectorAll(pressed))
                    for (const name of ["pointerover", "focusin", "click"])
                        element.dispatchEvent(new PointerEvent(name, { bubbles: true }));
            }"""
        )
        assert shown.evaluate("document.scripts.length") == Reader(tame(kind, ".html")).shape.count(("/script",))
        assert shown.locator("img, [onerror], [onmouseover], [onfocus], textarea, iframe").count() == 0
        assert shown.evaluate("[...document.links].every((link) => link.getAttribute('href').startsWith('#'))")
        data = shown.evaluate("document.querySelector('script[type=\"application/json\"]').textContent")
        assert strings_of(json.loads(data)) == strings_of(json.loads(Reader(page).inert[0]))
    assert not dialogs


@pytest.mark.parametrize("kind", RENDERERS)
def test_a_notebooks_frame_holds_the_page_alone(kind: type) -> None:
    for turn in range(0, len(HOSTILE), 7):
        frame = Reader(notebook_html(swapped(kind, HOSTILE, turn)).encode("utf-8", "backslashreplace"))
        assert [part[0] for part in frame.shape] == ["iframe", "/iframe"]
