"""`make peers-table`: the README's table of tools. Each does what it can of the same tasks, in its own environment.

    python benchmarks/peers/table.py PYTHON_OF_PEERS PYTHON_OF_LIT PYTHON_OF_ATTNREAD

Processor time on one thread and peak memory: medians over ROUNDS rounds, in each of which every tool runs once.
What was found is left in build/peers.json, from which `--table` alone makes the table again.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
from playwright.sync_api import sync_playwright
from transformers import AutoConfig, AutoModelForCausalLM

import attnscope as ats
from attnscope.models.loading.bundled import folder

HERE = Path(__file__).parent
FOUND = HERE.parents[1] / "build" / "peers.json"
ROUNDS = 1
ATTENTION_TOKENS, GRADIENT_TOKENS = 1024, 256
TARGET = " the"
JAPANESE = "熊本城は美しい城です。天守閣から街が見えます。"
OURS = "attnscope"
# (tool, whose environment: that of the other peers, LIT's or attnread's)
PEERS = {"attnread": 2, "bertviz": 0, "captum": 0, "inseq": 0, "interpreto": 0, "LIT": 1}
CAN = {
    "attention": (OURS, "attnread", "bertviz", "inseq"),
    "gradient": (OURS, "captum", "inseq", "interpreto", "LIT"),
    "page": (OURS, "bertviz", "captum", "inseq", "interpreto"),
    "labels": (OURS, "bertviz", "captum", "inseq", "interpreto", "LIT"),
    "families": (OURS, "attnread", "bertviz", "captum", "inseq", "interpreto"),
}
_SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
_GROUPED = {"num_key_value_heads": 2, "head_dim": 16}
# Causal language models: plain, grouped queries, learned positions, rotary in part, ALiBi, sliding windows, sinks.
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": _SMALL | _GROUPED,
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4},
    "gpt_neox": _SMALL,
    "opt": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 64,
            "word_embed_proj_dim": 64},
    "bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4},
    "qwen3": _SMALL | _GROUPED,
    "gemma3_text": _SMALL | _GROUPED | {"sliding_window": 8},
    "gpt_oss": _SMALL | _GROUPED | {"num_local_experts": 2, "num_experts_per_tok": 1, "sliding_window": 8},
}  # fmt: skip


def tiny_models(model: ats.Model, scratch: Path) -> dict[str, str]:
    """Folders of models with random weights and the bundled model's tokenizer."""
    torch.manual_seed(0)
    size = len(model.tokenizer)
    ids = {"pad_token_id": 2, "bos_token_id": 1, "eos_token_id": 2}
    for name, sizes in FAMILIES.items():
        made = AutoModelForCausalLM.from_config(AutoConfig.for_model(name, vocab_size=size, **ids, **sizes))
        made.save_pretrained(scratch / name)
        model.tokenizer.save_pretrained(scratch / name)
    return {name: str(scratch / name) for name in FAMILIES}


def text_of(model: ats.Model, tokens: int) -> str:
    text = (HERE.parent.parent / "LICENSE").read_text("utf-8")
    offsets = model.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    return text[offsets[0][0] : offsets[tokens - 1][1]]


def asked(pythons: list[str], tool: str, case: str, task: Path, out: Path) -> Any:
    python = sys.executable if tool == OURS else pythons[PEERS[tool]]
    command = [python, str(HERE / "tools.py"), tool, case, str(task), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{tool}, {case}: {done.stderr.strip().splitlines()[-1]}\n")
        return None
    sys.stderr.write(f"{tool}, {case}: {done.stdout.splitlines()[-1]}\n")
    return json.loads(done.stdout.splitlines()[-1])


def network(pages: dict[str, Path]) -> dict[str, int]:
    """How many addresses each page asks for, opened in a browser that lets none through."""
    found = {}
    with sync_playwright() as playwright:
        program = next(
            path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
        )
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for tool, page in pages.items():
            window, wanted = browser.new_context(offline=True).new_page(), set()
            window.on("request", lambda request, wanted=wanted: wanted.add(request.url))
            window.goto(page.as_uri())
            window.wait_for_timeout(2000)
            found[tool] = sum(url.startswith(("http:", "https:")) for url in wanted)
        browser.close()
    return found


def measure(pythons: list[str], scratch: Path) -> dict[str, dict[str, Any]]:
    """Case → tool → what it gave."""
    model = ats.load()
    task = {
        "folder": str(folder()), "families": tiny_models(model, scratch), "japanese": JAPANESE, "target": TARGET,
        "attention": text_of(model, ATTENTION_TOKENS), "gradient": text_of(model, GRADIENT_TOKENS),
    }  # fmt: skip
    path = scratch / "task.json"
    path.write_text(json.dumps(task), "utf-8")
    found: dict[str, dict[str, Any]] = {}
    for case in ("attention", "gradient"):
        rounds = [{t: asked(pythons, t, case, path, scratch / "out") for t in CAN[case]} for _ in range(ROUNDS)]
        found[case] = {
            tool: {key: median(one[tool][key] for one in rounds) for key in rounds[0][tool]}
            for tool in CAN[case]
            if rounds[0][tool] is not None
        }
    pages = {tool: scratch / f"{tool}.html" for tool in CAN["page"]}
    found["page"] = {tool: asked(pythons, tool, "page", path, page) for tool, page in pages.items()}
    found["network"] = network({tool: page for tool, page in pages.items() if page.exists()})
    for case in ("labels", "families"):
        found[case] = {tool: asked(pythons, tool, case, path, scratch / "out") for tool in CAN[case]}
    return found


def _cost(found: dict[str, Any] | None, ours: dict[str, Any]) -> str:
    if not found:
        return "–"
    times = "" if found is ours else f" ({found['cpu'] / ours['cpu']:.1f} ×)"
    return f"{found['cpu']:.2f} s{times}, {found['extra_mb']:.0f} MB"


def _families(found: dict[str, Any] | None, case: str) -> str:
    of = [said for name, said in (found or {}).items() if name.endswith(case)]
    return f"{sum(said is True for said in of)} / {len(of)}" if of else "–"


def table(found: dict[str, dict[str, Any]]) -> str:
    """As Markdown: a row a tool."""
    lines = [
        "| | a head's matrix, 1,024 tokens | gradient of an answer, 256 tokens | its page | asks the network for "
        "| labels that are in a Japanese text | attention, of 8 models | gradient, of 8 models |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for tool in (OURS, *PEERS):
        page, labels = found["page"].get(tool), found["labels"].get(tool)
        families = found["families"].get(tool)
        cells = [_cost(found[case].get(tool), found[case][OURS]) for case in ("attention", "gradient")]
        cells += [f"{page['bytes'] / 1000:.0f} kB" if page else "–", str(found["network"].get(tool, "–"))]
        cells += [f"{sum(label.strip() in JAPANESE for label in labels)} / {len(labels)}" if labels else "–"]
        cells += [_families(families, case) for case in ("attention", "gradient")]
        lines.append(f"| {tool} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    if sys.argv[1:] != ["--table"]:
        with tempfile.TemporaryDirectory() as scratch:
            found = measure(sys.argv[1:], Path(scratch))
        FOUND.parent.mkdir(exist_ok=True)
        FOUND.write_text(json.dumps({"date": datetime.now(UTC).date().isoformat()} | found), "utf-8")
    found = json.loads(FOUND.read_text("utf-8"))
    print(f"SmolLM2-135M, float32, one thread, {found['date']}\n")
    print(table(found))


if __name__ == "__main__":
    main()
