"""Pictures of a result. Its type and the file's suffix pick the renderer: one file and one row of RENDERERS.

    render(result, ".svg", font_size=14) -> bytes
    save(result, "page.html") -> Path

A renderer is imported when it is first used, so that a page needs no matplotlib and a figure no rich.
"""

import difflib
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attnscope.errors import InputError, OutputError
from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.results.evaluation import Evaluation
from attnscope.results.files import write_atomically
from attnscope.results.per_token import PerToken

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["RENDERERS", "Renderer", "checked_path", "notebook_html", "print_result", "render", "save"]


@dataclass(frozen=True)
class Renderer:
    """Where the function `(result, **options) -> bytes` lives, and the names of the options that it knows."""

    module: str
    function: str
    options: tuple[str, ...] = ()

    def load(self) -> Callable[..., bytes]:
        """The function itself; importing it is what may need an extra."""
        return cast(Callable[..., bytes], getattr(importlib.import_module(self.module), self.function))


_FIGURE_OPTIONS = ("max_line_chars", "font", "font_size", "dark")

Result = Attribution | PerToken | Agreement | AttentionMaps | Comparison | Comparisons | Evaluation

_PLOTTED = {
    ".png": Renderer("attnscope.render.figure.files", "render_png", ("dark", "font", "scale")),
    ".svg": Renderer("attnscope.render.figure.files", "render_svg", ("dark", "font")),
    ".pdf": Renderer("attnscope.render.figure.files", "render_pdf", ("dark", "font")),
}

RENDERERS: dict[type[Result], dict[str, Renderer]] = {
    Attribution: {
        ".html": Renderer("attnscope.render.html.attribution", "render_html", ("max_line_chars", "font_size", "dark")),
        ".png": Renderer("attnscope.render.figure.attribution", "render_png", (*_FIGURE_OPTIONS, "scale")),
        ".svg": Renderer("attnscope.render.figure.attribution", "render_svg", _FIGURE_OPTIONS),
        ".pdf": Renderer("attnscope.render.figure.attribution", "render_pdf", _FIGURE_OPTIONS),
        ".json": Renderer("attnscope.render.document.json", "render_json"),
        ".txt": Renderer("attnscope.render.document.terminal", "render_text"),
    },
    PerToken: {
        ".html": Renderer("attnscope.render.html.per_token", "render_html", ("max_line_chars", "font_size", "dark")),
        **_PLOTTED,
        ".json": Renderer("attnscope.render.document.json", "render_json"),
        ".txt": Renderer("attnscope.render.document.terminal", "render_texts"),
    },
    Agreement: {
        ".html": Renderer("attnscope.render.html.agreement", "render_html", ("max_line_chars", "font_size", "dark")),
        **_PLOTTED,
        ".json": Renderer("attnscope.render.html.agreement", "render_json"),
        ".txt": Renderer("attnscope.render.html.agreement", "render_text"),
    },
    AttentionMaps: {
        ".html": Renderer("attnscope.render.html.explorer", "render_html", ("max_mb", "quality", "flow", "dark")),
        **_PLOTTED,
        ".json": Renderer("attnscope.render.document.maps", "render_json"),
        ".safetensors": Renderer("attnscope.render.document.maps", "render_safetensors"),
    },
    Comparison: {
        ".html": Renderer("attnscope.render.html.comparison", "render_html", ("font_size", "dark")),
        ".png": Renderer("attnscope.render.figure.comparison", "render_png", (*_FIGURE_OPTIONS, "scale")),
        ".svg": Renderer("attnscope.render.figure.comparison", "render_svg", _FIGURE_OPTIONS),
        ".pdf": Renderer("attnscope.render.figure.comparison", "render_pdf", _FIGURE_OPTIONS),
        ".tex": Renderer("attnscope.render.document.comparison", "render_latex"),
        ".csv": Renderer("attnscope.render.document.comparison", "render_csv"),
        ".json": Renderer("attnscope.render.document.comparison", "render_json"),
        ".txt": Renderer("attnscope.render.document.comparison", "render_text"),
    },
    Comparisons: {
        ".html": Renderer("attnscope.render.html.comparison", "render_html", ("font_size", "dark")),
        ".csv": Renderer("attnscope.render.document.comparison", "render_csv"),
        ".json": Renderer("attnscope.render.document.comparison", "render_json"),
        ".txt": Renderer("attnscope.render.document.comparison", "render_text"),
    },
    Evaluation: {
        ".html": Renderer("attnscope.render.html.evaluation", "render_html", ("dark",)),
        ".png": Renderer("attnscope.render.figure.evaluation", "render_png", ("dark", "scale")),
        ".svg": Renderer("attnscope.render.figure.evaluation", "render_svg", ("dark",)),
        ".pdf": Renderer("attnscope.render.figure.evaluation", "render_pdf", ("dark",)),
        ".tex": Renderer("attnscope.render.document.evaluation", "render_latex"),
        ".csv": Renderer("attnscope.render.document.evaluation", "render_csv"),
        ".jsonl": Renderer("attnscope.render.document.evaluation", "render_lines"),
        ".json": Renderer("attnscope.render.document.evaluation", "render_json"),
        ".txt": Renderer("attnscope.render.document.evaluation", "render_text"),
    },
}


def render(result: Result, suffix: str, **options: Any) -> bytes:
    """Draw `result` in the format of `suffix` and return the file's bytes.

    max_line_chars: characters in a line of text, East Asian ones counting double (html and figures; 80).
    font:           path of a font file, or the name of an installed family (figures).
    font_size:      of the text, in points for figures (13) and in CSS pixels for html (18).
    dark:           dark background. html follows the reader's system unless told otherwise.
    scale:          pixels per point of a png (2).
    max_mb, quality, flow: of the page of maps, see `attnscope.render.html.explorer.render_html`.

    Raises OutputError for a suffix that no renderer has, InputError for an option or value that the renderer does not
    take, MissingExtraError where matplotlib is needed and not installed.
    """
    if type(result) not in RENDERERS:
        raise InputError(f"cannot draw a {type(result).__name__}: expected an {_expected()}")
    renderer = _renderer(suffix, type(result))
    unknown = [name for name in options if name not in renderer.options]
    if unknown:
        known = ", ".join(renderer.options) or "none"
        raise InputError(f"the {suffix} renderer has no option {unknown[0]!r}; it takes: {known}")
    return renderer.load()(result, **options)


def save(result: Result, path: str | os.PathLike[str], **options: Any) -> Path:
    """Draw `result` into the file `path`, whole or not at all, and return the path. Options and errors as in `render`.

    Raises OutputError, before anything is drawn, where the suffix or the folder cannot be used.
    """
    if type(result) not in RENDERERS:
        raise InputError(f"cannot draw a {type(result).__name__}: expected an {_expected()}")
    path = checked_path(path, type(result))
    if isinstance(result, AttentionMaps) and path.suffix.lower() == ".safetensors" and not options:
        # Straight to the file: the maps may be larger than memory.
        result.save(path)
    else:
        write_atomically(path, render(result, path.suffix, **options))
    return path


def checked_path(path: str | os.PathLike[str], kind: type[Result] = Attribution) -> Path:
    """The path, if a result of this kind can be drawn into it: known suffix, existing folder. Raises OutputError."""
    path = Path(path)
    _renderer(path.suffix, kind, path)
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    return path


def notebook_html(result: Result) -> str:
    """The page as one `<iframe srcdoc>`: a notebook cell shows it, and neither can reach into the other."""
    from attnscope.render.html import agreement, attribution, explorer, per_token

    if isinstance(result, AttentionMaps):
        return explorer.iframe(result)
    if isinstance(result, Comparison | Comparisons | Evaluation):
        return attribution.srcdoc(render(result, ".html").decode(), type(result).__name__, 860)
    if isinstance(result, Agreement):
        return agreement.iframe(result)
    return per_token.iframe(result) if isinstance(result, PerToken) else attribution.iframe(result)


def print_result(result: Result, console: "Console | None" = None) -> None:
    """Print `result` on a rich console (standard output): in colour on a terminal, as plain text when piped."""
    from attnscope.render.document.terminal import print_plain
    from attnscope.render.document.terminal import print_result as printed

    if isinstance(result, Attribution | PerToken):
        for one in result if isinstance(result, PerToken) else (result,):
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
