"""Many results: one table, or a folder with a page for each and one that leads to them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attnscope.errors import InputError, OutputError
from attnscope.render import RENDERERS, Renderer, render
from attnscope.render.content.caption import number
from attnscope.render.content.pieces import visible
from attnscope.render.html.bundle import script
from attnscope.render.html.escape import Markup, el, joined, raw_text
from attnscope.render.html.languages import in_languages
from attnscope.render.html.page import framed as framed_page
from attnscope.render.html.page import language, policy
from attnscope.render.html.page import root as root_of
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.collection import Failed, Results
from attnscope.results.files.writing import not_written, writable_file, write_atomically
from attnscope.results.per_token import PerToken
from attnscope.translation import say, spoken

_TABLE = "attnscope.render.document.table"
# What many results can be written as; without a suffix they are a folder of pages.
TABLES = {
    ".csv": Renderer(_TABLE, "render_csv"),
    ".jsonl": Renderer(_TABLE, "render_lines"),
    ".parquet": Renderer(_TABLE, "render_parquet"),
}
_SPEECH = "speech.js"
_END = Markup("</body>\n</html>\n")


def checked_output(given: str | os.PathLike[str]) -> Path:
    """The path, if many results can be written there. Raises OutputError."""
    with not_written(given):
        path = Path(given).expanduser()
        if path.is_dir() or not path.suffix:
            _checked_folder(path)
        elif path.suffix.lower() not in TABLES:
            raise OutputError(
                f"many results are no single {path.suffix}: write a table ({', '.join(TABLES)}) or a folder of pages, "
                f"such as {path.with_suffix('')}/; or save them one by one"
            )
        else:
            writable_file(path)
    return path


def save_many(results: Iterable[Result], path: str | os.PathLike[str], options: Mapping[str, Any]) -> Path:
    """Write a list of results: see `attnscope.save`."""
    whole = results if isinstance(results, Results) else Results(results)
    if wrong := [one for one in whole if type(one) not in RENDERERS and not isinstance(one, Failed)]:
        raise InputError(f"a list with a {type(wrong[0]).__name__} in it cannot be saved: give a list of results")
    path = checked_output(path)
    if path.suffix.lower() in TABLES and not path.is_dir():
        if options:
            raise InputError(f"a table takes no options: leave out {', '.join(options)}")
        write_atomically(path, TABLES[path.suffix.lower()].load()(whole))
        return path
    with not_written(path):
        path.mkdir(exist_ok=True)
    for name, result in zip(page_names(len(whole)), whole, strict=True):
        save_page(path, name, result, options)
    write_atomically(path / "index.html", index(whole, options.get("dark"), lang=options.get("lang")))
    return path


def save_page(folder: Path, name: str, result: Result | Failed, options: Mapping[str, Any]) -> None:
    """The page of one of many; a text that failed has none."""
    if not isinstance(result, Failed):
        write_atomically(folder / name, render(result, ".html", **options))


def page_names(count: int) -> list[str]:
    """The pages' files, in the order of the results.

    >>> page_names(2)
    ['0.html', '1.html']
    """
    return [f"{place:0{len(str(max(0, count - 1)))}}.html" for place in range(count)]


def index(
    results: Results[Any], dark: bool | None = None, names: Sequence[str] | None = None, lang: str | None = None
) -> bytes:
    """The page that leads to the pages of all results, UTF-8. names: of the pages, where more results are to come."""
    names = names or page_names(len(results))
    rows = [
        _row(place, results.ids[place], name, result)
        for place, (name, result) in enumerate(zip(names, results, strict=False))
    ]

    def page() -> Markup:
        title = say("{count} results", count=f"{len(results):,}")
        if results.failures:
            title += say(", {count} texts failed", count=f"{len(results.failures):,}")
        names = ("", say("text"), say("explained"), say("value"))
        head = el("tr", None, (el("th", {"scope": "col"}, name) for name in names))
        table = el("table", None, el("thead", None, head), el("tbody", None, rows))
        body = el("main", None, el("h1", None, title), table)
        return framed_page(body, title=title, style=_STYLE, policy=policy(code, _STYLE), root=root_of(spoken(), dark))

    # Only a page for all readers has something to do when it is read.
    code = "" if lang else script(_SPEECH) + "\nawait $speech.speak(document);\n"
    end = _END if lang else joined((el("script", {"type": "module"}, raw_text(code)), _END))
    return joined((in_languages(page, code, lang), end)).encode("utf-8", "replace")


def _row(place: int, name: str, page: str, result: Result | Failed) -> Markup:
    if isinstance(result, Failed):
        said = el("strong", None, f"{result.error}: {visible(result.message)}")
        cells = [el("td", None, el("bdi", None, _start(result.text)), " ", said), el("td", None), el("td", None)]
    else:
        first = result.first if isinstance(result, PerToken) else result
        text, explained, value = "", "", ""
        if isinstance(first, Attribution):
            text, explained = _start(first.text), visible(first.asked.target or "")
            measured = first.measured.value if isinstance(result, Attribution) else None
            value = "" if measured is None else number(measured)
        link = el("a", {"href": page, "lang": language(text)}, el("bdi", None, text or page))
        cells = [el("td", None, link), el("td", None, explained), el("td", {"class": "n"}, value)]
    return el("tr", None, el("th", {"scope": "row", "title": name}, str(place)), *cells)


def _start(text: str) -> str:
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= 120 else shown[:119] + "…"


_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#fff, #16181d);
  color: light-dark(#1b1d22, #e6e8ec); }
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.25rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; overflow-wrap: anywhere;
  border-bottom: 1px solid light-dark(#dcdfe4, #33373f); }
thead th { font-size: .8125rem; color: light-dark(#5b616b, #a4abb6); }
tbody th { font-weight: 400; color: light-dark(#5b616b, #a4abb6); font-variant-numeric: tabular-nums; }
.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
a { color: light-dark(#1450a3, #8ab8ff); }
strong { color: light-dark(#b3261e, #ff8a80); font-weight: 600; }
"""


def _checked_folder(path: Path) -> None:
    """Raises OutputError for a folder that cannot be made, or that holds other pages than these."""
    if path.exists() and not path.is_dir():
        raise OutputError(f"cannot write pages into {path}: it is a file; give the name of a folder, or a suffix")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
