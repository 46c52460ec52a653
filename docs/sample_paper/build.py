"""The sample paper, from the model to the PDF: `make paper` writes docs/sample_paper/sample_paper.pdf.

Its figures, its table, the sentences of its methods section and its BibTeX are made here; paper.tex has the rest.
Without a folder as argument everything is made in build/paper.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

import attnscope as ats

HERE = Path(__file__).parent
FRENCH = "Marie was born in Lyon, studied in Berlin and now lives in Paris, the capital of"
REVIEW = "Review: The plot is thin, but the acting is wonderful. The review is"
ATTACKED = "Review: The plot is thin, but the acting is wonderfull. The reveiw is"
JAPANESE = "熊本城は熊本市にある城である。日本の首都は"
SENTENCES = [
    "The Eiffel Tower stands in the city of",
    "Tokyo is the largest city and the capital of",
    "Water boils at one hundred degrees and freezes at",
    "The opposite of hot is",
    "Monday, Tuesday, Wednesday, Thursday and",
    "Romeo and Juliet was written by William",
]
METHODS = ["gradient", "integrated_gradients", "attention"]
METRICS = ["comprehensiveness", "sufficiency", "insertion_area"]
# What a column of paper.tex has, and its letters.
LETTERS = {"font.size": 7, "axes.titlesize": 7, "font.family": "serif", "pdf.fonttype": 42, "axes.linewidth": 0.4}


# What is run, and the file that keeps it: the same folder runs nothing twice.
RUNS: dict[str, tuple[str, Callable[[ats.Model], Any]]] = {
    "words": (".json", lambda m: ats.explain(m, FRENCH, method="occlusion", target=" France")),
    "maps": (".safetensors", lambda m: ats.attention_maps(m, FRENCH, target=" France").words()),
    "each": (".json", lambda m: ats.explain(m, FRENCH, method="gradient", target=" France, and she", per_token=True)),
    "pair": (".json", lambda m: ats.compare(m, REVIEW, ATTACKED, labels=[" positive", " negative"])),
    "japanese": (".json", lambda m: ats.explain(m, JAPANESE, method="deletion", target="東京")),
    "measured": (".jsonl", lambda m: ats.evaluate(m, SENTENCES, METHODS, METRICS, generate=1)),
}


def main(folder: Path) -> None:
    """Make everything in `folder`, and set the paper."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {name: run(folder, name) for name in RUNS}
    for name in ("words", "pair", "japanese"):
        ats.save(results[name], folder / f"{name}.pdf", width="column", caption=False)
    ats.save(results["measured"], folder / "measured.pdf", width="page", height=1.9, caption=False)
    ats.save(results["measured"], folder / "table.tex")
    six(results["maps"], results["each"], folder / "six.pdf")
    cited(folder, results)
    typeset(folder)


def run(folder: Path, name: str) -> Any:
    """The result of this name, from its file where it has been run."""
    suffix, explained = RUNS[name]
    path = folder / f"{name}{suffix}"
    if not path.exists():
        explained(ats.load()).save(path)
    return ats.load_result(path)


def six(maps: Any, each: Any, path: Path) -> None:
    """Six pictures on one's own axes, 2 × 3, as wide as the page."""
    with matplotlib.rc_context(LETTERS):
        figure = Figure((6.75, 3.6), layout="constrained")
        axes = figure.subplots(2, 3)
        ats.plot.heat_map(maps, layer=3, head=5, ax=axes[0, 0])
        ats.plot.per_token(each, ax=axes[0, 1])
        ats.plot.lines(maps, layer=14, head=2, ax=axes[0, 2])
        ats.plot.statistic(maps, "entropy", ax=axes[1, 0])
        ats.plot.statistic(maps, "previous", ax=axes[1, 1])
        ats.plot.statistic(maps, "first", ax=axes[1, 2])
        figure.savefig(path, metadata={"CreationDate": None})


def cited(folder: Path, results: dict[str, Any]) -> None:
    r"""The sentences, each in a file for \input, and every entry once."""
    entries: dict[str, str] = {}
    for name, result in results.items():
        found = result.cite()
        (folder / f"cite_{name}.tex").write_text(found.tex + "\n", encoding="utf-8")
        entries |= {entry.split(",")[0]: entry for entry in found.bibtex.strip().split("\n\n")}
    (folder / "paper.bib").write_text("\n\n".join(entries.values()) + "\n", encoding="utf-8")


def typeset(folder: Path) -> None:
    """pdfLaTeX and BibTeX, as a conference runs them. Raises CalledProcessError with their words."""
    shutil.copy(HERE / "paper.tex", folder)
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    # No date in the file: the same results give the same bytes.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    for command in (latex, ["bibtex", "paper"], latex, latex):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
    shutil.copy(folder / "paper.pdf", HERE / "sample_paper.pdf")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/paper"))
