"""`make bench-peers`: attnscope compared with captum, inseq and plain code, on the same targets.

Every run has its own process, attnscope's in the project's environment, the peers' in theirs (requirements.txt in this
folder). All load the same checkpoint folder. Prints a Markdown table: how many times faster, by the clock and by
processor time (which a busy machine does not change), the ratio of peak memory above the loaded model, and how well the
numbers agree. Medians over ROUNDS rounds.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from cases import Task

import attnscope as ats
from attnscope.models.inputs.continuation import continued
from attnscope.models.inputs.encode import encode
from attnscope.models.loading.bundled import folder

HERE = Path(__file__).parent
ROUNDS = 3
WRITTEN = 8


@dataclass(frozen=True)
class Pair:
    ours: str
    theirs: str
    tokens: int
    faster: float | None  # to reach: how many times


PAIRS = [
    Pair("gradient", "inseq_saliency", 64, None),
    Pair("gradient", "inseq_saliency", 256, 5),
    Pair("gradient_x_input", "captum_gradient_x_input", 64, None),
    Pair("gradient_x_input", "captum_gradient_x_input", 256, 5),
    Pair("integrated_gradients", "captum_integrated_gradients", 64, 3),
    Pair("deletion", "one_forward_per_word", 256, 3),
]


def task_of(model: ats.Model, tokens: int) -> Task:
    """Real English, cut at a token, and what the model writes after it: tokens that come back when read again."""
    text = (HERE.parent.parent / "LICENSE").read_text()
    offsets = model.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    prompt = text[offsets[0][0] : offsets[tokens - 1][1]]
    written = continued(model, encode(model.tokenizer, prompt), generate=WRITTEN)
    ids = model.tokenizer(prompt + written.text)["input_ids"]
    if ids != written.encoded.inputs["input_ids"]:
        raise SystemExit(f"at {tokens} tokens the generation {written.text!r} is read as other tokens; change the text")
    return Task(str(folder()), prompt, written.text, written.ids, len(ids) - len(written.ids))


def measure(peers: str, case: str, task: Path, out: Path) -> dict[str, float]:
    python = peers if case.startswith(("captum", "inseq")) else sys.executable
    command = [python, str(HERE / "cases.py"), case, str(task), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{case} failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(
        f"{case:>28} {task.stem:>4} tokens: {result['seconds']:7.2f} s, {result['cpu']:7.2f} s of processor, "
        f"{result['extra_mb']:7.0f} MB\n"
    )
    return result


def agreement(one: np.ndarray, other: np.ndarray) -> str:
    """Correlation, and the largest difference relative to the largest score."""
    if one.shape != other.shape:
        raise SystemExit(f"scores of shapes {one.shape} and {other.shape}: not the same targets")
    correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    return f"r {correlation:.4f}, ±{np.abs(one - other).max() / np.abs(other).max():.1e}"


def main() -> None:
    peers = sys.argv[1]
    model = ats.load()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for tokens in {pair.tokens for pair in PAIRS}:
            (work / f"{tokens}.json").write_text(json.dumps(asdict(task_of(model, tokens))))
        runs = dict.fromkeys((case, pair.tokens) for pair in PAIRS for case in (pair.ours, pair.theirs))
        seen: dict[tuple[str, int], list[dict[str, float]]] = {run: [] for run in runs}
        for _ in range(ROUNDS):
            for case, tokens in runs:
                found = measure(peers, case, work / f"{tokens}.json", work / f"{case}-{tokens}.npy")
                seen[case, tokens].append(found)
        scores = {(case, tokens): np.load(work / f"{case}-{tokens}.npy") for case, tokens in runs}
    middle = {run: {k: median(m[k] for m in found) for k in found[0]} for run, found in seen.items()}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = datetime.now(UTC).date().isoformat()
    print(f"SmolLM2-135M, float32, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, {today}\n")
    print("| attnscope | beside | tokens | seconds | times faster | by processor | to reach | memory | same numbers |")
    print("|---|---|--:|--:|--:|--:|--:|--:|---|")
    for pair in PAIRS:
        ours, theirs = (pair.ours, pair.tokens), (pair.theirs, pair.tokens)
        a, b = middle[ours], middle[theirs]
        cells = [f"{a['seconds']:.2f} / {b['seconds']:.2f}", f"{b['seconds'] / a['seconds']:.1f} ×"]
        cells += [f"{b['cpu'] / a['cpu']:.1f} ×"]
        cells += [f"≥ {pair.faster}" if pair.faster else "", f"{a['extra_mb'] / max(b['extra_mb'], 1):.2f} ×"]
        cells += [agreement(scores[ours], scores[theirs])]
        print(f"| {pair.ours} | {pair.theirs} | {pair.tokens} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
