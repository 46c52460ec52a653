"""`make bench-viewer`: the page of maps in headless Chromium, compared with the pages of other tools.

144 maps of SmolLM2-135M (16 of its 30 layers × 9 heads) at three lengths: medians over ROUNDS openings, as Markdown.
With the Python of the peers' environment as an argument, the same maps go through bertviz, circuitsvis and attnview,
each at the lengths at which its page still opens within PATIENCE seconds.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from playwright.sync_api import Error, Route, sync_playwright

import attnscope as ats
from measure import text_of

ROUNDS = 5
LENGTHS = (512, 1024, 2048)
LAYERS = [round(i * 29 / 15) for i in range(16)]
# (name, unit, limit at each length: an upper limit, for fps a lower one)
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
    """The megabytes of the renderer that it does not share with other processes."""
    renderers = [p for p in psutil.Process(browser_pid).children(recursive=True) if "--type=renderer" in p.cmdline()]
    return max(p.memory_full_info().uss for p in renderers) / 1e6


def measured(launch: Any, path: Path) -> dict[str, float]:
    """Opens the page once, in its own browser."""
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


# Where the pages of bertviz look for scripts, and the files that they get.
PEERS = Path(__file__).with_name("peers")
SCRIPTS = {"require": "requirejs/require.js", "d3": "d3/dist/d3.min.js", "jquery": "jquery/dist/jquery.min.js"}
TOOLS = ("bertviz model view", "bertviz head view", "circuitsvis", "attnview")
PEER_LENGTHS = (64, 128, 256, 512, 1024)
PATIENCE = 120


def opening(launch: Any, path: Path) -> dict[str, float] | None:
    """Seconds until a page shows something and is idle, its nodes and memory; None if not within PATIENCE."""
    with tempfile.TemporaryDirectory() as profile:
        context = launch(profile)
        # A page that hangs does not respond, so its browser is ended from outside.
        limit = threading.Timer(PATIENCE + 10, psutil.Process(_browser_pid(profile)).kill)
        limit.start()
        try:
            context.set_default_timeout(1000 * PATIENCE)
            context.route(re.compile("^https:"), _from_here)
            page = context.new_page()
            start = time.perf_counter()
            page.goto(path.as_uri(), wait_until="load")
            page.evaluate(HELPERS)
            # Polled from here: a page's policy may forbid what Playwright's own waiting needs.
            while not page.evaluate("atRest()"):
                if time.perf_counter() - start > PATIENCE:
                    return None
                time.sleep(0.1)
            found: dict[str, float] = page.evaluate(
                "({seconds: restedAt() / 1000, nodes: document.querySelectorAll('*').length})"
            )
            return found | {"memory": renderer_memory(_browser_pid(profile))}
        except Error:
            return None
        finally:
            limit.cancel()
            with suppress(Error):
                context.close()


def _from_here(route: Route) -> None:
    name = next((n for n in SCRIPTS if n in route.request.url.rsplit("/", 1)[-1]), None)
    if name is None:
        route.abort()
    else:
        route.fulfill(path=PEERS / "node_modules" / SCRIPTS[name])


def peers(launch: Any, model: Any, python: str, folder: Path) -> None:
    """Prints how long the pages of other tools take, as Markdown."""
    lengths = {}
    for tokens in PEER_LENGTHS:
        maps = ats.attention_maps(model, text_of(model, tokens), layers=LAYERS)
        weights = np.stack([[maps.weights(layer, head) for head in maps.heads] for layer in LAYERS])
        np.save(folder / f"{tokens}.npy", weights.astype(np.float32))
        names = [token.text or "·" for token in maps.key_side.tokens]
        (folder / f"{tokens}.json").write_text(json.dumps(names), "utf-8")
        ours = folder / "ours.html"
        start = time.perf_counter()
        ats.save(maps, ours)
        lengths[tokens] = (time.perf_counter() - start, ours.stat().st_size, opening(launch, ours))
    print("\n| | tokens | written | file | opened | nodes | memory |\n|---|--:|--:|--:|--:|--:|--:|")
    for tokens, (written, size, opened) in lengths.items():
        _row("attnscope", tokens, written, size, opened)
    for tool in TOOLS:
        for tokens in PEER_LENGTHS:
            page = folder / "peer.html"
            page.unlink(missing_ok=True)
            command = [
                python,
                str(PEERS / "pages.py"),
                tool,
                f"{folder}/{tokens}.npy",
                f"{folder}/{tokens}.json",
                str(page),
            ]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                print(f"| {tool} | {tokens:,} | over {PATIENCE} s | | | | |")
                break
            if done.returncode:
                print(f"| {tool} | {tokens:,} | {done.stderr.strip().splitlines()[-1][:60]} | | | | |")
                break
            opened = opening(launch, page)
            _row(tool, tokens, float(done.stdout.splitlines()[-1]), page.stat().st_size, opened)
            if opened is None:
                break


def _row(tool: str, tokens: int, written: float, size: int, opened: dict[str, float] | None) -> None:
    cells = f"| {tool} | {tokens:,} | {written:.1f} s | {size / 1e6:,.1f} MB "
    if opened is None:
        print(f"{cells}| not within {PATIENCE} s, or blank | | |", flush=True)
    else:
        print(f"{cells}| {opened['seconds']:.2f} s | {opened['nodes']:,} | {opened['memory']:,.0f} MB |", flush=True)


def _browser_pid(profile: str) -> int:
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if f"--user-data-dir={profile}" in line and not any(part.startswith("--type=") for part in line):
            return int(process.pid)
    raise SystemExit("the browser is gone")


def launcher(playwright: Any) -> Callable[[str], Any]:
    """Opens a browser with its own profile."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    return lambda profile: playwright.chromium.launch_persistent_context(
        profile, executable_path=chromium, args=FLAGS.split(), viewport={"width": 1280, "height": 900}
    )


def main() -> None:
    model = ats.load(dtype=torch.float32)
    table: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        launch = launcher(playwright)
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
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            peers(launcher(playwright), model, sys.argv[1], Path(folder))


if __name__ == "__main__":
    main()
