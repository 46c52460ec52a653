"""Rows that a stopped run goes on from, the models that are measured, and Markdown tables with intervals."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

import attnscope as ats
from attnscope.render.figure.look import Look
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.statistics import interval

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
from real_models import qwen_coder_folder

ROOT = Path(__file__).parents[2]
Rows = Mapping[str, list[dict[str, Any]]]
# Of lines and dots, told apart in light and dark, and by those who see few colours.
LINES = ("#d55e00", "#0072b2", "#009e73", "#9a8c98")
IMAGES = ROOT / "docs" / "images"
MODELS: dict[str, tuple[str, Callable[[], ats.Model]]] = {
    "smollm2": ("SmolLM2-135M-Instruct", lambda: ats.load(dtype=torch.float32)),
    "qwen": ("Qwen2.5-Coder-0.5B-Instruct", lambda: ats.load(qwen_coder_folder(), dtype=torch.float32)),
}


@dataclass(frozen=True)
class Study:
    """One question.

    items:   what is measured of a model, at most so many. measure: of an item, a row.
    report:  the page's tables from the rows by model, with a figure in light and dark.
    """

    items: Callable[[ats.Model, int], Sequence[Any]]
    measure: Callable[[ats.Model, Any], dict[str, Any]]
    report: Callable[[Rows], str]
    count: int


def measured(study: Study, name: str, model: str, folder: Path, count: int) -> list[dict[str, Any]]:
    """A study's rows of a model: those of the file, and after them what is missing there, each added as it comes."""
    path = folder / f"{name}-{model}.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    if len(rows) >= count:
        return rows[:count]
    loaded = MODELS[model][1]()
    folder.mkdir(parents=True, exist_ok=True)
    for item in list(study.items(loaded, count))[len(rows) :]:
        begun = time.process_time()
        row = study.measure(loaded, item)
        row["seconds"] = round(time.process_time() - begun, 1)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        rows.append(row)
        sys.stderr.write(f"{name} {model} {len(rows)}: {row['seconds']} s of processor time\n")
    return rows


def spread(values: ArrayLike, form: str = "+.2f") -> str:
    """A mean over the first axis with its 95 % interval, in words."""
    low, high = interval(values)
    return f"{np.mean(values):{form}} ({low:{form}} to {high:{form}})"


def drawn(name: str, size: tuple[float, float], panels: int, paint: Callable[[Look, Sequence[Any], bool], None]) -> str:
    """Draws panels side by side into docs/images, in light and dark. Returns the page's lines that show them."""

    def figure(dark: bool) -> Any:
        look = Look("×…0123456789“”", dark, None)
        made = look.figure(size)
        made.set_layout_engine("constrained")
        axes = made.subplots(1, panels, squeeze=False)[0]
        for ax in axes:
            look.quiet(ax)
        paint(look, axes, dark)
        return made

    lines = []
    for theme in ("light", "dark"):
        file = IMAGES / f"cause-{name}-{theme}.png"
        file.write_bytes(file_of(lambda dark=theme == "dark": figure(dark), "png", 2))  # type: ignore[misc]
        lines.append(f"![](images/{file.name}#only-{theme})")
    return "\n".join(lines)


def labels(look: Look, ax: Any, title: str, across: str, up: str) -> None:
    """The names of a panel and its axes."""
    look.title(ax, title)
    look.label(ax.xaxis, across)
    look.label(ax.yaxis, up)
    if ax.get_legend_handles_labels()[0]:
        look.key(ax)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown; the first column to the left."""
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
