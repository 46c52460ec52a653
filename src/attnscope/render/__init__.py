"""Pictures of a result. Its type and the file's suffix choose the renderer: one file, and one row of RENDERERS, or of
FORMATS where the same renderer draws every result.

    render(result, ".svg", font_size=14) -> bytes
    save(result, "page.html") -> Path

A renderer is imported when it is first used, so that a page needs no matplotlib and a figure no rich.
"""

import difflib
import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnscope.errors import InputError, OutputError
from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.citation.citation import Citation
from attnscope.results.collection import Results
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.results.corpus.head_profiles import HeadProfiles
from attnscope.results.corpus.summary import SurveySummary
from attnscope.results.corpus.survey import Survey
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.effect import Effect
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.results.evaluation import Evaluation
from attnscope.results.files.writing import not_written, writable_file, write_atomically
from attnscope.results.per_token import PerToken
from attnscope.results.similarity import Similarity
from attnscope.translation import speaking

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "FORMATS",
    "RENDERERS",
    "Renderer",
    "Result",
    "checked_path",
    "notebook_html",
    "print_result",
    "render",
    "save",
]


@dataclass(frozen=True)
class Renderer:
    """A function `(result, **options) -> bytes`: where it is, its options' names, and fixed arguments (`given`).

    needs: module and name of what raises MissingExtraError where it cannot be used here.
    """

    module: str
    function: str
    options: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, str] | None = None

    def check(self) -> None:
        """Raises MissingExtraError where an extra that it needs is not installed."""
        if self.needs:
            module, function = self.needs
            getattr(importlib.import_module(module), function)()

    def load(self) -> Callable[..., bytes]:
        """The function itself. Importing it may need an extra."""
        return partial(getattr(importlib.import_module(self.module), self.function), **self.given)


_FIGURE = "attnscope.render.figure"
_HTML = "attnscope.render.html"
_DOCUMENT = "attnscope.render.document"

# Every format, in the order in which they are offered. A renderer here draws any result that has none of its own in
# RENDERERS. None: a result needs a renderer of its own.
FORMATS: dict[str, Renderer | None] = {
    ".html": None,
    ".png": None,
    ".svg": None,
    ".pdf": None,
    ".json": Renderer(f"{_DOCUMENT}.data", "render_json"),
    ".txt": None,
    ".md": Renderer(f"{_DOCUMENT}.markdown", "render_markdown"),
    ".tex": Renderer(f"{_DOCUMENT}.latex", "render_latex"),
    ".bib": Renderer(f"{_DOCUMENT}.bibtex", "render_bibtex"),
    ".csv": Renderer(f"{_DOCUMENT}.table", "render_csv"),
    ".parquet": Renderer(f"{_DOCUMENT}.table", "render_parquet", needs=(f"{_DOCUMENT}.table", "need_arrow")),
    ".jsonl": None,
    ".safetensors": None,
}


# What every figure takes for a paper.
PAPER = ("width", "height", "caption", "legend")


def _page(file: str, *options: str) -> dict[str, Renderer]:
    return {".html": Renderer(f"{_HTML}.{file}", "render_html", (*options, "dark", "lang"))}


def _figures(file: str, *options: str, function: str = "render_figure") -> dict[str, Renderer]:
    """The renderers of png, svg and pdf by one function; only png takes a scale."""
    names = (*options, "dark", "lang", *PAPER)
    module, needs = f"{_FIGURE}.{file}", (f"{_FIGURE}.to_bytes", "need_matplotlib")
    return {
        ".png": Renderer(module, function, (*names, "scale"), {"form": "png", "scale": 2}, needs),
        ".svg": Renderer(module, function, names, {"form": "svg", "scale": 1}, needs),
        ".pdf": Renderer(module, function, names, {"form": "pdf", "scale": 1}, needs),
    }


def _document(suffix: str, file: str, function: str) -> dict[str, Renderer]:
    return {suffix: Renderer(f"{_DOCUMENT}.{file}", function)}


def with_defaults(own: Mapping[type[Result], Mapping[str, Renderer]]) -> dict[type[Result], dict[str, Renderer]]:
    """Each result's own renderers and those of FORMATS, in the order of FORMATS."""
    return {
        kind: {suffix: row for suffix, default in FORMATS.items() if (row := rows.get(suffix, default))}
        for kind, rows in own.items()
    }


_TEXT = ("max_line_chars", "font_size")
_OWN: dict[type[Result], dict[str, Renderer]] = {
    Attribution: {
        **_page("attribution", *_TEXT),
        **_figures("attribution", *_TEXT, "font"),
        **_document(".txt", "terminal", "render_text"),
    },
    PerToken: {
        **_page("per_token", *_TEXT),
        **_figures("files", "font"),
        **_document(".txt", "terminal", "render_texts"),
    },
    Agreement: {
        **_page("agreement", *_TEXT),
        **_figures("files", "font"),
        **_document(".txt", "terminal", "render_table"),
    },
    AttentionMaps: {
        **_page("explorer", "max_mb", "quality", "flow", "effects"),
        **_figures("files", "font"),
        **_document(".safetensors", "data", "render_safetensors"),
    },
    Comparison: {
        **_page("comparison", "font_size"),
        **_figures("comparison", *_TEXT, "font"),
        **_document(".tex", "comparison", "render_latex"),
        **_document(".csv", "comparison", "render_csv"),
        **_document(".txt", "comparison", "render_text"),
    },
    Comparisons: {
        **_page("comparison", "font_size"),
        **_figures("comparisons", "font"),
        **_document(".tex", "comparison", "render_many_latex"),
        **_document(".csv", "comparison", "render_csv"),
        **_document(".txt", "comparison", "render_text"),
    },
    Similarity: {
        **_page("similarity", "font_size"),
        **_figures("similarity", "font"),
        **_document(".txt", "similarity", "render_text"),
    },
    Evaluation: {
        **_page("evaluation"),
        **_figures("evaluation", "font"),
        **_document(".tex", "evaluation", "render_latex"),
        **_document(".csv", "evaluation", "render_csv"),
        **_document(".jsonl", "data", "render_lines"),
        **_document(".txt", "terminal", "render_table"),
    },
    Citation: {
        **_page("effects.citation"),
        **_figures("citation", "font"),
        **_document(".md", "citation", "render_markdown"),
        **_document(".txt", "terminal", "render_table"),
    },
    Effect: {
        **_page("effects.effect"),
        **_figures("effects.effect", "font"),
        **_document(".txt", "terminal", "render_table"),
    },
    HeadProfiles: {
        **_page("head_profiles"),
        **_figures("head_profiles", "font"),
        **_document(".txt", "terminal", "render_table"),
    },
    SurveySummary: {
        **_page("survey"),
        **_figures("survey", "font"),
        **_document(".txt", "terminal", "render_table"),
    },
    HeadEffects: {
        **_page("effects.head_effects"),
        **_figures("effects.maps", "font", function="render_heads"),
        **_document(".txt", "terminal", "render_table"),
    },
    EdgeEffects: {
        **_page("effects.edge_effects"),
        **_figures("effects.maps", "font", function="render_edges"),
        **_document(".txt", "terminal", "render_table"),
    },
}

# The renderer of each result in each of its formats.
RENDERERS = with_defaults(_OWN)


def render(result: Result, suffix: str, **options: Any) -> bytes:
    """Draw `result` in the format of `suffix` and return the file's bytes.

    max_line_chars: characters per line of text; East Asian ones count double (html and figures; 80).
    font:           path of a font file, or the name of an installed family (figures).
    font_size:      size of the text, in points for figures (13) and in CSS pixels for html (18).
    dark:           dark background. By default html follows the reader's system.
    lang:           "en" or "ja": the language of a page (html; by default that of the reader's browser) or of a figure
                    (by default English).
    scale:          pixels per point of a png (2).
    width, height:  "column" (3.25 inches), "page" (6.75) or inches, of figures for papers; letters stay readable.
    caption, legend: False leaves title, facts and notes, or the colours' key, to the paper (figures).
    max_mb, quality, flow, effects: for the page of maps, see `attnscope.render.html.explorer.render_html`.

    Raises OutputError for a suffix without a renderer, InputError for an option or value that the renderer does not
    take, MissingExtraError where matplotlib is needed and not installed.

    >>> from attnscope.render import render
    >>> words = ats.explain(model, "The film is great. I am", method="gradient", target=" happy")
    >>> render(words, ".svg", font_size=10)[:5]
    b'<?xml'
    """
    if type(result) not in RENDERERS:
        raise InputError(f"cannot draw a {type(result).__name__}: expected an {_expected()}")
    renderer = _renderer(suffix, type(result))
    unknown = [name for name in options if name not in renderer.options]
    if unknown:
        known = ", ".join(renderer.options) or "none"
        raise InputError(f"the {suffix} renderer has no option {unknown[0]!r}; it takes: {known}")
    if suffix.lower() != ".html" and "lang" in options:
        with speaking(options.pop("lang") or "en"):
            return render(result, suffix, **options)
    if paper := {name: options.pop(name) for name in PAPER if name in options}:
        from attnscope.render.figure.paper import on_paper

        with on_paper(**paper):
            return renderer.load()(result, **options)
    return renderer.load()(result, **options)


def save(result: Result | Iterable[Result] | Survey, path: str | os.PathLike[str], **options: Any) -> Path:
    """Draw `result` into the file `path`, whole or not at all, and return the path. Options and errors as in `render`.

    A survey is drawn by its summary. A list of results is one table (.csv, .jsonl, .parquet), or a folder of pages: a
    path without a suffix. Raises OutputError before anything is drawn if the suffix or the folder cannot be used.

    >>> words = ats.explain(model, "The film is great. I am", method="gradient", target=" happy")
    >>> ats.save(words, "words.html").name, ats.save(words, "words.pdf", width="column", caption=False).name
    ('words.html', 'words.pdf')
    """
    if isinstance(result, Survey):
        return save(result.summary(), path, **options)
    if isinstance(result, Iterable) and not isinstance(result, Result):
        from attnscope.render.many import save_many

        return save_many(result, path, options)
    if type(result) not in RENDERERS:
        raise InputError(f"cannot draw a {type(result).__name__}: expected an {_expected()}")
    path = checked_path(path, type(result))
    if isinstance(result, AttentionMaps) and path.suffix.lower() == ".safetensors" and not options:
        # Written straight to the file, because the maps may be larger than memory.
        result.save(path)
    else:
        write_atomically(path, render(result, path.suffix, **options))
    return path


def checked_path(path: str | os.PathLike[str], kind: type[Result] = Attribution) -> Path:
    """The path, if this type of result can be drawn into it: known suffix, writable file.

    Raises OutputError, and MissingExtraError where what draws it is not installed.
    """
    with not_written(path):
        path = Path(path).expanduser()
        if path.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder; give the name of a file in it")
    _renderer(path.suffix, kind, path).check()
    writable_file(path)
    return path


def notebook_html(result: Result | Results[Any]) -> str:
    """A result, or many, as HTML for a notebook's cell: a frame that page and notebook cannot reach through.

    >>> words = ats.explain(model, "The film is great. I am", method="gradient", target=" happy")
    >>> ats.notebook_html(words)[:7]
    '<iframe'
    """
    return str(importlib.import_module("attnscope.render.notebook").notebook_html(result))


def print_result(result: Result, console: "Console | None" = None) -> None:
    """Print `result` on a rich console (standard output): in colour on a terminal, as plain text when piped."""
    from attnscope.render.document.terminal import print_plain
    from attnscope.render.document.terminal import print_result as printed

    if isinstance(result, Attribution | PerToken):
        for one in result.by_character() if isinstance(result, PerToken) else (result,):
            printed(one, console)
    else:
        print_plain(render(result, ".txt").decode(), console)


def _expected() -> str:
    *most, last = (kind.__name__ for kind in RENDERERS)
    return f"{', '.join(most)} or {last}"


def _renderer(suffix: str, kind: type[Result], path: Path | None = None) -> Renderer:
    renderer = RENDERERS[kind].get(suffix.lower())
    if renderer is None:
        given = f"{path} has no suffix" if path and not suffix else f"no renderer writes {suffix!r}"
        near = difflib.get_close_matches(suffix.lower(), RENDERERS[kind], 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise OutputError(f"{given}: expected one of {' '.join(RENDERERS[kind])}{hint}")
    return renderer
