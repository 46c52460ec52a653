"""The viewer's files as they go into a page: its modules joined into one script.

A page opened from disk cannot import files. Each module becomes a function that is called at once, and what it exports
is held in `const $<stem>`. So no two modules of a page may have the same stem.
"""

import posixpath
import re
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

from attnscope.translation import say, speaking, spoken

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "(\.{1,2}/[\w/]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:const|function|class) (\w+))", re.MULTILINE)
_SOURCE, _ADDRESS, _HOST, _SPEECH = "source.js", "url_state.js", "notebook/host.js", "speech.js"
_START = (
    "$host.listen(document.documentElement);\n"
    "await $speech.speak(document);\n"
    "const source = new $%s.%s(document);\n"
    "$%s.start(document.documentElement, source, %s);\n"
)


@cache
def viewer(name: str) -> str:
    """The text of a file of the viewer."""
    return (resources.files("attnscope.render") / "viewer" / name).read_text("utf-8")


@cache
def _template(name: str, language: str) -> str:
    with speaking(language):
        return said_in(viewer(name)).replace(' lang="en"', f' lang="{language}"')


def template(name: str) -> str:
    """A file of the viewer that holds elements, in the language that is spoken."""
    return _template(name, spoken())


# Between tags, and in attributes that are read out or shown.
_TEXT = re.compile(
    r'(?<=>)[^<>]+(?=<)|(?<= aria-label=")[^"]+|(?<= placeholder=")[^"]+|(?<= aria-roledescription=")[^"]+'
)
_PLACE = re.compile(r"\$\{\w+\}")


def messages_of(markup: str) -> list[str]:
    """The messages of a template: its texts without the space around them, if they have words."""
    texts = (found[0].strip() for found in _TEXT.finditer(markup))
    return [text for text in texts if re.search(r"[A-Za-z]{2}|[A-Za-z] ", _PLACE.sub("", text))]


def said_in(markup: str) -> str:
    """A template, its messages as they are said now."""

    def put(found: re.Match[str]) -> str:
        text = found[0].strip()
        return found[0].replace(text, say(text)) if text else found[0]

    return _TEXT.sub(put, markup)


@cache
def page_script(module: str, source: str = _SOURCE, made: str = "PageSource", *, addressed: bool = False) -> str:
    """The script of a page: it calls `start` of `module` on the whole document, with the page's data and address.

    source: the module whose class `made` is where the data comes from, given the document. addressed: whether the
    source is the address too, for a page without one of its own.
    """
    address = "source" if addressed else "$url_state.pageAddress()"
    start = _START % (PurePosixPath(source).stem, made, PurePosixPath(module).stem, address)
    return script(module, source, _ADDRESS, _HOST, _SPEECH) + "\n" + start


@cache
def script(*modules: str) -> str:
    """Modules of the viewer and those they import, as one script.

    Raises ValueError where two of them have the same stem.
    """
    joined: dict[PurePosixPath, str] = {}
    for module in modules:
        if PurePosixPath(module) not in joined:
            _join(PurePosixPath(module), joined)
    return "\n".join(joined.values())


def _join(path: PurePosixPath, joined: dict[PurePosixPath, str]) -> None:
    """Adds a module after the modules that it imports, each once, in the order in which it imports them."""
    source = viewer(str(path))
    for _, imported in _IMPORT.findall(source):
        other = PurePosixPath(posixpath.normpath(path.parent / imported))
        if other not in joined:
            _join(other, joined)
    for other in joined:
        if other.stem == path.stem:
            raise ValueError(f'"{other}" and "{path}" would both be "const ${path.stem}" on a page: rename one of them')
    joined[path] = _function(path.stem, source)


def _function(stem: str, source: str) -> str:
    """Rewrites a module: `import {a as x} from "./b.js"` -> `const {a: x} = $b`, and its exports are returned."""
    exported = ", ".join(match[2] for match in _EXPORT.finditer(source))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(_taken, source))
    return f"const ${stem} = (() => {{\n{body}return {{ {exported} }};\n}})();"


def _taken(imported: re.Match[str]) -> str:
    return f"const {imported[1].replace(' as ', ': ')} = ${PurePosixPath(imported[2]).stem};"
