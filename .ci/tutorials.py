"""Tutorials: Markdown in docs/tutorials that becomes notebooks, which are run, and pages with what they put out.

Markdown, because it reads as a page in the repository and its changes as lines; the notebooks are made from it. A
tutorial is run when it, or the package, has changed: what it put out is kept in build/tutorials.

    python .ci/tutorials.py [NAME …]    # runs them, and leaves NAME.ipynb in build/tutorials
"""

import base64
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "docs" / "tutorials"
KEPT = ROOT / "build" / "tutorials"
# Seconds that a cell may take.
PATIENCE = 300
_CODE = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_FRAME = re.compile(r"<iframe\b.*?</iframe>", re.DOTALL)


def names() -> list[str]:
    """Of all tutorials, without their suffix."""
    return sorted(path.stem for path in SOURCES.glob("*.md") if path.stem != "index")


def notebook(name: str) -> nbformat.NotebookNode:
    """The tutorial as a notebook that has not been run: a cell for each block of Python and for what is between."""
    parts = _CODE.split((SOURCES / f"{name}.md").read_text("utf-8"))
    cells = []
    for place, part in enumerate(parts):
        if part.strip():
            make = nbformat.v4.new_code_cell if place % 2 else nbformat.v4.new_markdown_cell
            cells.append(make(part.strip(), id=f"{name[:50]}-{place}".replace(".", "-")))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def executed(name: str) -> nbformat.NotebookNode:
    """The tutorial with what it puts out; run if it or the package has changed since it was last run."""
    kept, made = KEPT / f"{name}.ipynb", notebook(name)
    state = state_of(SOURCES / f"{name}.md")
    if kept.exists():
        found = nbformat.read(kept, as_version=4)
        if found.metadata.get("attnscope") == state:
            return found
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(made, timeout=PATIENCE, kernel_name="python3", resources=resources)
        # Kernels side by side share the processors.
        client.execute(env={"OMP_NUM_THREADS": "1", **os.environ})
    for cell in made.cells:
        cell.metadata.pop("execution", None)
    made.metadata = {"kernelspec": made.metadata["kernelspec"], "attnscope": state}
    KEPT.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, kept)
    return made


def all_executed(chosen: Sequence[str]) -> Iterator[tuple[str, nbformat.NotebookNode]]:
    """Name, and what `executed` gives: of as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(chosen, pool.map(executed, chosen), strict=True)


def page(name: str, made: nbformat.NotebookNode) -> tuple[str, dict[str, bytes]]:
    """The Markdown of the site's page, with what each cell put out, and its pictures by their file names."""
    japanese = name.endswith(".ja")
    offer = f"[{'ノートブックをダウンロード' if japanese else 'Download as a notebook'}]({name}.ipynb)"
    parts, pictures = [], {}
    for place, cell in enumerate(made.cells):
        parts.append(cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
        if place == 0:
            parts.append(offer)
        for number, output in enumerate(cell.get("outputs", [])):
            data = output.get("data", {})
            if output.get("name") == "stderr" or "application/vnd.jupyter.widget-view+json" in data:
                continue  # bars, and what needs a running notebook
            if "image/png" in data:
                picture = f"{name}-{place}-{number}.png"
                pictures[picture] = base64.b64decode(data["image/png"])
                parts.append(f"![{data.get('text/plain', '').splitlines()[0][:60] or 'the figure'}]({picture})")
            elif frames := _FRAME.findall(data.get("text/html", "")):
                # On one line: in Markdown, an empty one would end the element.
                parts += [f"<div>{frame}</div>".replace("\n", "&#10;") for frame in frames]
            elif text := output.get("text") or data.get("text/plain"):
                parts.append(f"```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


def handed_out(made: nbformat.NotebookNode) -> str:
    """The file that a reader takes along: without what it put out, so that it is theirs to run."""
    bare: Any = nbformat.from_dict(made)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    bare.metadata.pop("attnscope", None)
    return nbformat.writes(bare) + "\n"


def state_of(source: Path) -> str:
    """Of a file and of all that its code runs: what it made is kept until this changes."""
    files = [source, ROOT / "requirements.txt", *sorted((ROOT / "src").rglob("*.py"))]
    files += sorted(path for kind in ("js", "css", "html") for path in (ROOT / "src").rglob(f"*.{kind}"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


if __name__ == "__main__":
    for name, _ in all_executed(sys.argv[1:] or names()):
        print(name, flush=True)  # noqa: T201 -- a command
