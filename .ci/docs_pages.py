"""What the site has beyond the files of docs/: the API and the methods, from the docstrings; what is at the root;
tutorials as run; the gallery's pages.
"""

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
from nbformat import NotebookNode

import attnscope
from attnscope.methods.table import METHODS

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))
# Beside this file.
tutorials, api_page, gallery, method_strips = map(
    importlib.import_module, ("tutorials", "api_page", "gallery", "method_strips")
)

AT_THE_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    files.append(File.generated(config, "api.md", content=api_page.api()))
    for name in AT_THE_ROOT:
        # Their links lead from the root.
        text = re.sub(r"\]\(docs/", "](", (ROOT / name).read_text("utf-8"))
        files.append(File.generated(config, name, content=text))
    for name, made in tutorials.all_executed(tutorials.names()):
        _add_tutorial(name, made, files, config)
    for name, path in gallery.pages().items():
        files.append(File.generated(config, f"gallery/{name}.html", content=path.read_bytes()))
    return files


def _add_tutorial(name: str, made: NotebookNode, files: Files, config: MkDocsConfig) -> None:
    """The page with what its cells put out, in the place of the file; the pictures; the notebook to take along."""
    text, pictures = tutorials.page(name, made)
    written = files.get_file_from_path(f"tutorials/{name}.md")
    if written is not None:
        files.remove(written)
    files.append(File.generated(config, f"tutorials/{name}.md", content=text))
    files.append(File.generated(config, f"tutorials/{name}.ipynb", content=tutorials.handed_out(made)))
    for picture, data in pictures.items():
        files.append(File.generated(config, f"tutorials/{picture}", content=data))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """In the site, what stands at the root stands beside the other pages; pictures open the gallery's pages; methods
    have their formulas, and a sentence in their colours.
    """
    if page.file.src_uri == "gallery.md":
        markdown = gallery.page(markdown, gallery.pages())
    if page.file.src_uri == "methods.md":
        markdown = _methods(markdown, method_strips.strips())
    if page.file.src_uri == "from_others.md":
        markdown = _titled(markdown)
    if page.file.src_uri != "api.md":
        markdown = _to_the_api(markdown, "../" * page.file.src_uri.count("/"))
    return re.sub(rf"\]\(\.\./({'|'.join(map(re.escape, AT_THE_ROOT))})", r"](\1", markdown)


def _to_the_api(markdown: str, up: str) -> str:
    """What is public leads to its entry where it is named: `ats.Task`."""
    parts = re.split(r"(^```.*?^```$|^#[^\n]*$|\[[^\]]*\]\([^)]*\))", markdown, flags=re.MULTILINE | re.DOTALL)
    public = rf"`ats\.({'|'.join(attnscope.__all__)})`"
    return "".join(part if i % 2 else re.sub(public, rf"[\g<0>]({up}api.md#\1)", part) for i, part in enumerate(parts))


def _titled(markdown: str) -> str:
    """Calls of other libraries and ours, each under its name."""
    head, *sections = re.split(r"(?m)^## ", markdown)
    for section in sections:
        name = section.partition("\n")[0]
        head += f"## {section}".replace("```py\n", f'```py title="{name}"\n')
    return head.replace("```python\n", '```python title="attnscope"\n')


def _methods(markdown: str, strips: dict[str, str]) -> str:
    head, *sections = re.split(r"^## ", markdown, flags=re.MULTILINE)
    target, against = (f"“{text.strip()}”" for text in (method_strips.TARGET, method_strips.AGAINST))
    parts = [
        f"{head}## One sentence by every method\n\nWhy a model calls this review {target} rather than {against}, by "
        "each method with its defaults; by methods with a query, where its last token looks. Warm colours speak for "
        "the answer, blue against it; where a score has no sign, a stronger colour is a larger score. Each line has "
        "its own scale. The methods do not agree: see [which method for which question](which_method.md).\n\n",
        f"{method_strips.overview(strips)}\n\n",
    ]
    for section in sections:
        name, _, said = section.partition("\n")
        said = said.strip().partition("\n\n")[0]  # the formula is in the docstring
        written = api_page.markdown(inspect.getdoc(METHODS[name].run))
        parts.append(f"## {name}\n\n{said}\n\n<p>{strips[name]}</p>\n\n{written}\n")
    return "".join(parts)


def on_post_page(output: str, page: Any, config: MkDocsConfig) -> str:  # noqa: ARG001 -- mkdocs gives them by name
    """In its own language; without what the theme fetches from the network for a search from disk, which
    `site/file_worker.js` does.
    """
    worker = f'<script src="{get_relative_url("site/file_worker.js", page.url)}"></script>'
    if page.file.src_uri.endswith(".ja.md"):
        output = output.replace('<html lang="en"', '<html lang="ja"', 1)
    rest = re.sub(r'<script src="https://unpkg[^"]*"></script>', worker, output)
    if found := re.search(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="?https?:', rest):
        raise PluginError(f"{page.file.src_uri} loads from the network: {found[0]}")
    return rest
