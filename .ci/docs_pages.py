"""Pages of the site that are no files of docs/: the API, from the docstrings; what is at the root; tutorials as run."""

import contextlib
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.utils import get_relative_url

import attnscope

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))
tutorials = importlib.import_module("tutorials")  # beside this file

AT_THE_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    files.append(File.generated(config, "api.md", content=api()))
    for name in AT_THE_ROOT:
        # Their links lead from the root.
        text = re.sub(r"\]\(docs/", "](", (ROOT / name).read_text("utf-8"))
        files.append(File.generated(config, name, content=text))
    for name in tutorials.names():
        _add_tutorial(name, files, config)
    return files


def _add_tutorial(name: str, files: Files, config: MkDocsConfig) -> None:
    """The page with what its cells put out, in the place of the file; the pictures; the notebook to take along."""
    made = tutorials.executed(name)
    text, pictures = tutorials.page(name, made)
    written = files.get_file_from_path(f"tutorials/{name}.md")
    if written is not None:
        files.remove(written)
    files.append(File.generated(config, f"tutorials/{name}.md", content=text))
    files.append(File.generated(config, f"tutorials/{name}.ipynb", content=tutorials.handed_out(made)))
    for picture, data in pictures.items():
        files.append(File.generated(config, f"tutorials/{picture}", content=data))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """In the site, what stands at the root stands beside the other pages."""
    return re.sub(rf"\]\(\.\./({'|'.join(map(re.escape, AT_THE_ROOT))})", r"](\1", markdown)


def api() -> str:
    """Every public name, with its signature and its docstring to the letter."""
    entries = [_entry(name, getattr(attnscope, name)) for name in sorted(attnscope.__all__, key=str.casefold)]
    head = "# API\n\nEvery public name of `attnscope`, from the docstrings.\n"
    return "\n".join((head, *entries))


def _entry(name: str, value: Any) -> str:
    parts = [f"## {name}\n", *_described(name, value)]
    if inspect.isclass(value) and not issubclass(value, Warning):
        for member, raw in sorted(vars(value).items()):
            if not member.startswith("_") and (callable(raw) or isinstance(raw, property | classmethod | staticmethod)):
                function = raw.fget if isinstance(raw, property) else getattr(value, member)
                parts += [f"### {name}.{member}\n", *_described(member, function, is_value=isinstance(raw, property))]
    return "\n".join(parts)


def _described(name: str, value: Any, is_value: bool = False) -> list[str]:
    parts = []
    if callable(value) and not is_value:
        with contextlib.suppress(ValueError):
            parts.append(f"```python\n{name}{inspect.signature(value)}\n```\n")
    is_data = not callable(value) and not inspect.ismodule(value)
    written = f"A {type(value).__name__}: {', '.join(value)}." if is_data else inspect.getdoc(value)
    if written:
        parts.append(f"````text\n{written}\n````\n")
    return parts


def on_post_page(output: str, page: Any, config: MkDocsConfig) -> str:  # noqa: ARG001 -- mkdocs gives them by name
    """Without what the theme fetches from the network for a search from disk; `site/file_worker.js` does that."""
    worker = f'<script src="{get_relative_url("site/file_worker.js", page.url)}"></script>'
    rest = re.sub(r'<script src="https://unpkg[^"]*"></script>', worker, output)
    if found := re.search(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="?https?:', rest):
        raise PluginError(f"{page.file.src_uri} loads from the network: {found[0]}")
    return rest
