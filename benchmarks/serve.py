"""How long one waits at the playground, from a key or a click to what is painted, beside the model's bare passes.

    make bench-serve                       # Chromium and SmolLM2 on this machine
    python benchmarks/serve.py --runs 20

Each row is measured right after its bare pass, so that both meet the same machine: medians, and 95th percentiles.
"""

import argparse
import shutil
import statistics
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright
from transformers import DynamicCache

import attnscope as ats
from attnscope.serve.guard import Door
from attnscope.serve.running import listen, server
from attnscope.serve.session import Session

SENTENCE = "The castle stood on the hill above the river and nobody had lived there since the long war ended in spring."
WORDS = 100
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
# Waits until what `look` returns changes after `act`, and for the next frame; milliseconds.
CHANGED = """([act, look]) => new Promise((resolve) => {
    const [go, seen] = [act, look].map((code) => document.querySelector(code));
    const text = () => document.querySelector(look)?.textContent;
    const [before, begun] = [text(), performance.now()];
    const watch = new MutationObserver(() => {
        if (text() === before || !text()) return;
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
    });
    watch.observe(document.body, { subtree: true, childList: true, characterData: true });
    go.click();
})"""
MARKED = """(name) => new Promise((resolve) => {
    const look = () => {
        const marks = performance.getEntriesByName(name);
        if (marks.length <= (window.seen?.[name] ?? 0)) return setTimeout(look, 5);
        (window.seen ??= {})[name] = marks.length;
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - window.begun)));
    };
    look();
})"""


def timed(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return 1e3 * (perf_counter() - begun)


def bare(model: ats.Model, text: str) -> dict[str, Callable[[], object]]:
    """The model's own passes over the text."""
    net = model.model
    ids = model.tokenizer(text, return_tensors="pt")["input_ids"]
    embeddings = net.get_input_embeddings()(ids).detach()
    kept = DynamicCache()
    with torch.no_grad():
        net(input_ids=ids, past_key_values=kept)
    half = ids.shape[1] // 2

    def both() -> None:
        leaf = embeddings.clone().requires_grad_()
        logits = net(inputs_embeds=leaf, use_cache=False, logits_to_keep=1).logits[0, -1]
        torch.autograd.grad(logits.log_softmax(-1).max(), leaf)

    def generated() -> None:
        with torch.no_grad():
            net.generate(input_ids=ids, max_new_tokens=1, do_sample=False)

    def rest() -> float:
        cache = DynamicCache()
        for index, layer in enumerate(kept.layers):
            cache.update(layer.keys[:, :, :half], layer.values[:, :, :half], index)
        with torch.no_grad():
            return timed(lambda: net(input_ids=ids[:, half + 1 :], past_key_values=cache, logits_to_keep=1))

    return {"both": lambda: timed(both), "generated": lambda: timed(generated), "rest": rest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    model = ats.load(dtype=torch.float32)
    for parameter in model.model.parameters():
        parameter.requires_grad_(False)
    session = Session([model])
    listening = listen("127.0.0.1", 0)
    door = Door("t" * 43, listening.getsockname()[1])
    running = server(session, door)
    threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{door.port}/?token={door.token}")
        rows = measured(page, model, runs)
        browser.close()
    running.should_exit = True
    print(f"{runs} runs, {torch.get_num_threads()} threads, {WORDS} words\n")
    print("| | median | 95th percentile | bare pass | median ÷ bare |\n|---|---|---|---|---|")
    for name, (times, beside) in rows.items():
        median, high = statistics.median(times), sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]
        base = statistics.median(beside) if beside else 0
        ratio = f"{base:.0f} ms | {median / base:.2f}" if beside else "none | "
        print(f"| {name} | {median:.0f} ms | {high:.0f} ms | {ratio} |")


def measured(page: Page, model: ats.Model, runs: int) -> dict[str, tuple[list[float], list[float]]]:
    """Each wait in milliseconds, and beside it the bare pass."""
    page.set_default_timeout(120_000)
    text = " ".join((f"{SENTENCE} " * 6).split()[:WORDS])
    passes: dict[str, Any] = bare(model, text)
    for each in passes.values():
        each()
    field = page.locator("[data-part=input]")
    page.evaluate("addEventListener('input', () => (window.begun = performance.now()), true)")
    page.evaluate("addEventListener('click', () => (window.begun = performance.now()), true)")
    rows: dict[str, tuple[list[float], list[float]]] = {
        name: ([], []) for name in ("last key to importance", "click to attention", "head's map", "word away", "token")
    }
    for run in range(runs + 1):  # the first warms up
        found = one_run(page, field, passes, text + "abcdefghijklmnopqrstuvwxyz"[run % 26] * (1 + run // 26))
        for (times, beside), (took, base) in zip(rows.values(), found, strict=True):
            if run:
                times.append(took)
                beside += [] if base is None else [base]
    return rows


def one_run(page: Page, field: Any, passes: dict[str, Any], text: str) -> list[tuple[float, float | None]]:
    """The five waits of one text."""
    page.locator("[data-panel=importance]").click()
    field.fill(text[:-1])
    page.evaluate(MARKED, "painted")
    page.wait_for_timeout(1500)
    base = passes["both"]()
    field.press("End")
    field.press_sequentially(text[-1])
    found = [(page.evaluate(MARKED, "painted"), base)]
    page.locator("[data-part=maps-holder] [data-part=top-title]").wait_for(state="attached")
    page.wait_for_timeout(2500)
    title = "[data-part=maps-holder] [data-part=top-title]"
    found.append((page.evaluate(CHANGED, ["[data-part=importance-holder] .part > .u:nth-of-type(40)", title]), None))
    caption = "[data-part=maps-holder] [data-part=caption]"
    found.append((page.evaluate(CHANGED, ["[data-part=maps-holder] [data-part=head-next]", caption]), None))
    page.locator("[data-panel=without]").click()
    page.locator("[data-part=with-value]", has_text="of").wait_for()
    page.wait_for_timeout(500)
    base = passes["rest"]()
    word = "[data-part=without-text] .part > .u:nth-of-type(51)"
    found.append((page.evaluate(CHANGED, [word, "[data-part=less-value]"]), base))
    page.locator("[data-panel=generate]").click()
    page.locator("[data-part=count]").fill("1")
    base = passes["generated"]()
    page.locator("[data-part=generate]").click()
    found.append((page.evaluate(MARKED, "first-token"), base))
    page.locator("[data-part=tokens-holder] .u").first.wait_for()
    return found


if __name__ == "__main__":
    main()
