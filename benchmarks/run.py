"""`make bench`: attnscope compared with plain code. Each run has its own process, in turn, so a slow minute hits all.

    python run.py [CASE…]     only these of attnscope's, such as head_out edge_out all_heads; by default all

Prints a Markdown table of ratios of time and of peak memory above the loaded model, from medians over ROUNDS rounds.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

ROUNDS = 3
# (ours, compared with, tokens, ratios that it should not exceed: time, memory)
PAIRS: list[tuple[str, str, int, float | None, float | None]] = [
    ("row", "forward", 512, 1.1, None),
    ("row", "body", 512, 1.1, None),
    ("row", "eager", 512, None, None),
    ("row", "forward", 2048, 1.1, None),
    ("row", "body", 2048, 1.1, None),
    ("row", "eager", 2048, 0.35, 0.05),
    ("mean", "body", 2048, None, None),
    ("row", "body", 8192, None, None),
    ("gradient", "backward", 512, None, None),
    ("gradient", "forward", 512, None, None),
    ("gradient", "backward", 2048, 0.65, 0.5),
    ("gradient", "forward", 2048, None, None),
    ("mask_gradient", "gradient", 512, 1.25, 1.3),
    ("mask_gradient", "gradient", 2048, 1.25, 1.3),
    ("rollout", "eager_rollout", 256, None, None),
    ("rollout", "eager_rollout", 1024, None, None),
    ("rollout", "eager_rollout", 2048, 0.5, 0.15),
    ("maps", "eager", 2048, None, None),
    ("head_out", "forward", 512, 1.1, None),
    ("edge_out", "forward", 512, 1.1, None),
    ("head_out", "body", 512, None, None),
    ("edge_out", "body", 512, None, None),
    ("cite", "cite_loop", 1024, 0.25, None),
    ("cite_halves", "cite_loop", 1024, 0.25, None),
]
# The same, of what stands for many of the other: how many of them.
MANY = [("all_heads", "forward", 128, 270, 0.6)]
ALONE = [("row", 8192), ("gradient", 8192), ("rollout", 8192), ("row", 32768), ("rollout", 32768)]
# Texts from here on run once, and beyond the bundled model's positions on a small random Llama. Plain code would take
# minutes, and more memory than most machines have, so only ours runs.
LONG = 8192


def measure(case: str, tokens: int) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).with_name("measure.py")), case, str(tokens)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{case} at {tokens} tokens failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout)
    sys.stderr.write(f"{case:>9} {tokens:>5} tokens: {result['seconds']:7.2f} s  {result['extra_mb']:7.0f} MB\n")
    return result


def main() -> None:
    names = sys.argv[1:] or [ours for ours, *_ in (*PAIRS, *MANY, *ALONE)]
    pairs, many, single = ([row for row in rows if row[0] in names] for rows in (PAIRS, MANY, ALONE))
    runs = dict.fromkeys((case, n) for ours, other, n, *_ in (*pairs, *many) for case in (ours, other)) | dict.fromkeys(
        single
    )
    seen: dict[tuple[str, int], list[dict[str, float]]] = {run: [] for run in runs}
    for turn in range(ROUNDS):
        for run in runs:
            if run[1] < LONG or turn == 0:
                seen[run].append(measure(*run))
    middle = {run: {k: median(m[k] for m in results) for k in results[0]} for run, results in seen.items()}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = datetime.now(UTC).date().isoformat()
    print(f"SmolLM2-135M, float32, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, {today}\n")
    print("| attnscope | against | tokens | time | to reach | extra memory | to reach |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for ours, other, tokens, time_goal, memory_goal in pairs:
        a, b = middle[ours, tokens], middle[other, tokens]
        cells = [f"{a['seconds'] / b['seconds']:.2f} ×", f"≤ {time_goal}" if time_goal else ""]
        cells += [f"{a['extra_mb'] / max(b['extra_mb'], 1):.2f} ×", f"≤ {memory_goal}" if memory_goal else ""]
        print(f"| {ours} | {other} | {tokens:,} | {' | '.join(cells)} |")
    for ours, other, tokens, times, goal in many:
        ratio = middle[ours, tokens]["seconds"] / middle[other, tokens]["seconds"] / times
        print(f"| {ours} | {times} × {other} | {tokens:,} | {ratio:.2f} × | ≤ {goal} | | |")
    print()
    for case, tokens in single:
        alone = middle[case, tokens]
        print(f"{case} at {tokens:,} tokens: {alone['seconds']:.1f} s, {alone['extra_mb']:,.0f} MB above the model")


if __name__ == "__main__":
    main()
