"""Checks with mypy and pyright that what users call is typed: `api.py`, and the Python of the READMEs to the letter."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A README shows a value by naming it.
SETTINGS = "# pyright: strict, reportUnusedExpression=false"


def python_of(page: Path) -> str:
    """The Python of a Markdown page, at the line numbers where it stands there."""
    lines, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            lines.append("")
        else:
            lines.append(line if inside else "")
    return "\n".join(lines) + "\n"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(__file__).with_name("api.py"))]
        for page in sorted(ROOT.glob("README*.md")):
            file = Path(folder, re.sub(r"\W", "_", page.name.lower()) + ".py")
            source = python_of(page)
            if not source.strip():
                sys.exit(f"{page.name} has no Python: nothing of it can be checked")
            file.write_text(SETTINGS + source, encoding="utf-8")
            files.append(str(file))
        mypy = [sys.executable, "-m", "mypy", *files]
        # Not by the name in node_modules/.bin: on Windows that is another file.
        pyright = ["node", "node_modules/pyright/index.js", "--pythonpath", sys.executable, *files]
        running = [subprocess.Popen(command, cwd=ROOT) for command in (mypy, pyright)]
        return max([process.wait() for process in running])


if __name__ == "__main__":
    sys.exit(main())
