"""Memory by length: rollout for one query, ours and as it is usually written, drawn to docs/images/rollout_memory.svg.

`python benchmarks/memory_curve.py` measures into docs/rollout_memory.json (this takes minutes), then draws; with
`--redraw` it only draws the saved numbers.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure

from attnscope.render.colours import LIGHT
from attnscope.render.figure.to_bytes import file_of
from run import measure

DOCS = Path(__file__).parent.parent / "docs"
NUMBERS, PICTURE = DOCS / "rollout_memory.json", DOCS / "images" / "rollout_memory.svg"
RUNS = {"eager_rollout": (256, 1024, 2048), "rollout": (256, 1024, 2048, 8192)}
NAMES = {"rollout": "attnscope", "eager_rollout": "every matrix held, numpy"}


def measured() -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB",
        "runs": {case: {str(n): measure(case, n) for n in lengths} for case, lengths in RUNS.items()},
    }


def draw(numbers: dict[str, dict[str, dict[str, dict[str, float]]]]) -> Figure:
    figure = Figure(figsize=(6.2, 3.6), layout="constrained")
    ax = figure.add_subplot()
    for case, colour in (("eager_rollout", LIGHT.muted), ("rollout", LIGHT.steps[48])):
        found = {int(n): one["extra_mb"] for n, one in numbers["runs"][case].items()}
        ax.plot(list(found), list(found.values()), marker="o", color=colour, linewidth=2)
        for n, megabytes in found.items():
            ax.annotate(f"{megabytes:,.0f} MB", (n, megabytes), (-5, 5), textcoords="offset points", ha="right", size=8)
        last = max(found)
        ax.annotate(NAMES[case], (last, found[last]), (8, -3), textcoords="offset points", color=colour, size=9)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="tokens",
        ylabel="memory above the model, MB",
        xlim=(150, 22000),
        ylim=(20, 10000),
    )
    lengths = sorted({int(n) for case in numbers["runs"].values() for n in case})
    ax.set_xticks(lengths, [f"{n:,}" for n in lengths], minor=False)
    heights = (30, 100, 300, 1000, 3000, 10000)
    ax.set_yticks(heights, [f"{n:,}" for n in heights])
    ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("Rollout for one query, SmolLM2-135M, float32", loc="left", size=10)
    return figure


def main() -> None:
    if "--redraw" not in sys.argv:
        NUMBERS.write_text(json.dumps(measured(), indent=1) + "\n")
    PICTURE.write_bytes(file_of(lambda: draw(json.loads(NUMBERS.read_text())), "svg"))


if __name__ == "__main__":
    main()
