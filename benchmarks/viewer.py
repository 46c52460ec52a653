"""`make bench-viewer`: the page of maps in headless Chromium.

144 maps of SmolLM2-135M (16 of its 30 layers × 9 heads) at three lengths: medians over ROUNDS openings, as Markdown.
"""

import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import torch
from playwright.sync_api import sync_playwright

import attnscope as ats
from measure import text_of

ROUNDS = 3
LENGTHS = (512, 1024, 2048)
LAYERS = [round(i * 29 / 15) for i in range(16)]
# (what, unit, what it should not exceed at each length; fps should not fall below)
GOALS: list[tuple[str, str, tuple[float, float, float]]] = [
    ("file", "MB", (8, 22, 64)),
    ("written", "s", (1, 3, 10)),
    ("first paint", "s", (0.2, 0.25, 0.3)),
    ("interactive", "s", (0.35, 0.5, 0.7)),
    ("head not yet seen", "ms", (50, 50, 60)),
    ("hover to painted", "ms", (34, 34, 34)),
    ("frames sweeping cells", "fps", (58, 58, 58)),
    ("frames sweeping words", "fps", (58, 58, 58)),
    ("find a word", "ms", (50, 50, 50)),
    ("longest task", "ms", (100, 100, 100)),
    ("renderer memory", "MB", (220, 260, 350)),
]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
HELPERS = Path(__file__).with_name("viewer.js").read_text("utf-8")


def renderer_memory(browser_pid: int) -> float:
    """Megabytes of the renderer that hold nothing of other processes'."""
    renderers = [p for p in psutil.Process(browser_pid).children(recursive=True) if "--type=renderer" in p.cmdline()]
    return max(p.memory_full_info().uss for p in renderers) / 1e6


def measured(launch: Any, path: Path) -> dict[str, float]:
    """One opening of the page, in a browser of its own."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as profile:
        context = launch(profile)
        page = context.new_page()
        page.goto(path.as_uri())
        found["first paint"] = (
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
        )
        found["interactive"] = page.evaluate("performance.getEntriesByName('attnscope')[0].startTime") / 1000
        page.evaluate(HELPERS)
        page.wait_for_timeout(500)
        loaded = page.evaluate("performance.now()")
        page.keyboard.press("2")
        page.evaluate("(async () => { while (!shown()) await new Promise((r) => setTimeout(r, 5)); })()")
        found["head not yet seen"] = page.evaluate("switches(24)")
        found["hover to painted"] = page.evaluate("hovers(30)")
        found["frames sweeping cells"] = page.evaluate("sweep(2, cells)")
        page.keyboard.press("3")
        page.wait_for_timeout(500)
        found["frames sweeping words"] = page.evaluate("sweep(2, words)")
        found["find a word"] = page.evaluate("finding('license')")
        page.wait_for_timeout(300)
        found["longest task"] = max([d for start, d in page.evaluate("long") if start > loaded], default=0)
        found["renderer memory"] = renderer_memory(_browser_pid(profile))
        context.close()
    return found


def _browser_pid(profile: str) -> int:
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if f"--user-data-dir={profile}" in line and not any(part.startswith("--type=") for part in line):
            return int(process.pid)
    raise SystemExit("the browser is gone")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    model = ats.load(dtype=torch.float32)
    table: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:

        def launch(profile: str) -> Any:
            return playwright.chromium.launch_persistent_context(
                profile, executable_path=chromium, args=FLAGS.split(), viewport={"width": 1280, "height": 900}
            )

        for tokens in LENGTHS:
            maps = ats.attention_maps(model, text_of(model, tokens), layers=LAYERS)
            path = Path(folder) / f"{tokens}.html"
            times = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                ats.save(maps, path)
                times.append(time.perf_counter() - start)
            rounds = [measured(launch, path) for _ in range(ROUNDS)]
            table[tokens] = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
            table[tokens] |= {"file": path.stat().st_size / 1e6, "written": statistics.median(times)}
            sys.stderr.write(f"{tokens}: {table[tokens]}\n")
    print(f"144 maps of SmolLM2-135M, {psutil.cpu_count()} cores, {datetime.now(UTC).date().isoformat()}\n")
    print("| | " + " | ".join(f"{n:,} tokens | to reach" for n in LENGTHS) + " |")
    print("|---|" + "--:|--:|" * len(LENGTHS))
    for name, unit, goals in GOALS:
        sign = "≥" if unit == "fps" else "≤"
        cells = [f"{table[n][name]:.3g} {unit} | {sign} {g:g}" for n, g in zip(LENGTHS, goals, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
