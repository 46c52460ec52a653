"""The gallery: docs/gallery.md, the pages that its code writes, and a link to each where its picture stands.

The code is run when it, or the package, has changed: what it wrote is kept in build/gallery. The pictures are taken by
.ci/figures/gallery.py.
"""

import contextlib
import importlib
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "docs" / "gallery.md"
KEPT = ROOT / "build" / "gallery"
sys.path.insert(0, str(Path(__file__).parent))
tutorials = importlib.import_module("tutorials")  # beside this file
_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVED = re.compile(r'ats\.save\(.*"([\w-]+)\.html"')
_PICTURE = re.compile(r"!\[([^\]]*)\]\(images/gallery-([\w-]+)-light\.webp\)")


def blocks() -> list[str]:
    """The code, in order: all of it runs in one namespace."""
    return _CODE.findall(SOURCE.read_text("utf-8"))


def names() -> list[str]:
    """Of the pages, without their suffix."""
    return [match[1] for block in blocks() for match in _SAVED.finditer(block)]


def pages() -> dict[str, Path]:
    """The pages by their names; made if the gallery or the package has changed since they were."""
    stamp, state = KEPT / "state", tutorials.state_of(SOURCE)
    if not stamp.exists() or stamp.read_text("utf-8") != state:
        shutil.rmtree(KEPT, ignore_errors=True)
        KEPT.mkdir(parents=True)
        with contextlib.chdir(KEPT):
            run()
        stamp.write_text(state, "utf-8")
    return {name: KEPT / f"{name}.html" for name in names()}


def run() -> None:
    """Run the code; its pages go into the working folder."""
    namespace: dict[str, Any] = {}
    for block in blocks():
        exec(compile(block, str(SOURCE), "exec"), namespace)


def page(markdown: str, made: dict[str, Path]) -> str:
    """The site's page: pictures, light or dark as the reader's, that open what they show."""

    def opened(match: re.Match[str]) -> str:
        alt, name = match.groups()
        shown = (f"![{alt}](images/gallery-{name}-{scheme}.webp#only-{scheme})" for scheme in ("light", "dark"))
        megabytes = made[name].stat().st_size / 1e6
        return f"[{''.join(shown)}](gallery/{name}.html)\n\n[Open this page](gallery/{name}.html) ({megabytes:.1f} MB)"

    return _PICTURE.sub(opened, markdown)
