"""How long one waits at the playground, from a key or a click to what is painted, beside the model's bare passes.

    make bench-serve                       # Chromium and SmolLM2 on this machine
    python benchmarks/serve.py --runs 20

Given the Python of an environment with LIT, its page shows the same gradient of the same texts: there one types, and
presses Add, which is done here as soon as it can be.

Each row is measured right after its bare pass, so that both meet the same machine: medians, and 95th percentiles.
The last row is of a process of its own: from `attnscope serve` to a page in which one can type, beside one that only
loads the model.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import torch
from playwright.sync_api import Browser, Error, Page, sync_playwright
from transformers import DynamicCache

import attnscope as ats
from attnscope.models.loading.bundled import folder
from attnscope.serve.guard import Door
from attnscope.serve.running import listen, server
from attnscope.serve.session import Session

# Milliseconds of each run, and those of the bare pass beside it.
Row = tuple[list[float], list[float]]
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

# LIT's page, whose parts lie in shadow trees: from a key, through its button Add, to other tokens in colour.
OF_LIT = """() => {
    const all = (name, root = document) => [...root.querySelectorAll("*")].flatMap((each) => [
        ...(each.matches(name) ? [each] : []), ...(each.shadowRoot ? all(name, each.shadowRoot) : []),
    ]);
    const shown = () => all(".salient-token").map((token) => token.textContent).join("");
    const before = shown();
    window.painted = new Promise((resolve) => addEventListener("input", () => {
        const begun = performance.now();
        const look = () => {
            const add = all("#make")[0];
            if (!add.disabled) add.click();
            const now = shown();
            if (!now || now === before) return setTimeout(look, 5);
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
        };
        look();
    }, { once: true, capture: true }));
}"""


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
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("lit", nargs="?", help="the Python of an environment with LIT")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        rows = {"serve to a usable page": cold_starts(browser, given.starts)}
        rows = measured(browser, given.runs) | rows
        if given.lit:
            rows["LIT: last key to importance by gradient"] = measured_lit(browser, given.lit, given.runs)
        browser.close()
    print(f"{given.runs} runs, {given.starts} starts, {torch.get_num_threads()} threads, {WORDS} words\n")
    print("| | median | 95th percentile | bare pass | median ÷ bare |\n|---|---|---|---|---|")
    for name, (times, beside) in rows.items():
        median, high = statistics.median(times), sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]
        base = statistics.median(beside) if beside else 0
        ratio = f"{base:.0f} ms | {median / base:.2f}" if beside else "none | "
        print(f"| {name} | {median:.0f} ms | {high:.0f} ms | {ratio} |")


def cold_starts(browser: Browser, starts: int) -> Row:
    """From the command to the page's script at work, beside loading the model in a process of its own."""
    row: Row = ([], [])
    for start in range(starts + 1):  # the first fills the machine's file cache
        took, base = one_start(browser), timed(load_alone)
        if start:
            row[0].append(took)
            row[1].append(base)
    return row


def load_alone() -> None:
    code = "import attnscope as ats; ats.load(); print('loaded', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()


def one_start(browser: Browser) -> float:
    page = browser.new_context().new_page()
    begun = perf_counter()
    command = [sys.executable, "-m", "attnscope", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        page.goto(process.stdout.readline().strip())
        page.locator("[data-part=input]:focus").wait_for()  # the last thing that the page's script does
        took = 1e3 * (perf_counter() - begun)
        process.kill()
    page.context.close()
    return took


def measured(browser: Browser, runs: int) -> dict[str, Row]:
    """Each wait in milliseconds, and beside it the bare pass."""
    model = ats.load(dtype=torch.float32)
    for parameter in model.model.parameters():
        parameter.requires_grad_(False)
    session = Session([model])
    listening = listen("127.0.0.1", 0)
    door = Door("t" * 43, listening.getsockname()[1])
    running = server(session, door)
    threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True).start()
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"http://127.0.0.1:{door.port}/?token={door.token}")
    text = typed_text()
    passes: dict[str, Any] = bare(model, text)
    for each in passes.values():
        each()
    page.evaluate("addEventListener('input', () => (window.begun = performance.now()), true)")
    page.evaluate("addEventListener('click', () => (window.begun = performance.now()), true)")
    rows: dict[str, Row] = {}
    for run in range(runs + 1):  # the first warms up
        # Each text is a new one.
        for name, took, base in one_run(page, session, passes, f"{text}{'e' * (run // 26)}{last_key(run)}"):
            row = rows.setdefault(name, ([], []))
            if run:
                row[0].append(took)
                row[1].extend([] if base is None else [base])
    running.should_exit = True
    return rows


def measured_lit(browser: Browser, python: str, runs: int) -> Row:
    """The same texts in LIT's page, beside the same bare pass."""
    model = ats.load(dtype=torch.float32)
    passes, text = bare(model, typed_text()), typed_text()
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    row: Row = ([], [])
    command = [python, str(Path(__file__).with_name("peers") / "lit.py"), str(folder()), str(port), text]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        page = browser.new_page()
        for _ in range(600):
            with suppress(Error):
                page.goto(f"http://127.0.0.1:{port}/")
                break
            sleep(0.2)
        field = page.locator("textarea").first
        for run in range(runs + 1):  # the first warms up
            field.fill(text)
            page.wait_for_timeout(1500)
            page.evaluate(OF_LIT)
            base = passes["both"]()
            field.press("End")
            field.press_sequentially(last_key(run))
            took = page.evaluate("painted")
            if run:
                row[0].append(took)
                row[1].append(base)
        process.kill()
    return row


def typed_text() -> str:
    return " ".join((f"{SENTENCE} " * 6).split()[:WORDS])


def last_key(run: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[run % 26]


def one_run(
    page: Page, session: Session, passes: dict[str, Any], text: str
) -> Iterator[tuple[str, float, float | None]]:
    """The waits of one text: what it is, milliseconds, and those of the bare pass."""
    field = page.locator("[data-part=input]")
    page.locator("[data-panel=importance]").click()
    field.fill(text[:-1])
    page.evaluate(MARKED, "painted")
    page.wait_for_timeout(1500)
    base = passes["both"]()
    field.press("End")
    field.press_sequentially(text[-1])
    yield "last key to importance by gradient", page.evaluate(MARKED, "painted"), base
    title = "[data-part=maps-holder] [data-part=top-title]"
    page.locator(title).wait_for(state="attached")
    page.wait_for_timeout(2500)
    word = "[data-part=importance-holder] .part > .u:nth-of-type(40)"
    yield "click on a word to its attention", page.evaluate(CHANGED, [word, title]), None
    page.wait_for_timeout(500)
    caption = "[data-part=maps-holder] [data-part=caption]"
    following = "[data-part=maps-holder] [data-part=head-next]"
    yield "another head's map", page.evaluate(CHANGED, [following, caption]), None
    page.locator("[data-panel=without]").click()
    page.locator("[data-part=with-value]", has_text="of").wait_for()
    page.wait_for_timeout(500)
    base = passes["rest"]()
    word = "[data-part=without-text] .part > .u:nth-of-type(51)"
    yield "word taken away to the new answer", page.evaluate(CHANGED, [word, "[data-part=less-value]"]), base
    page.locator("[data-panel=generate]").click()
    page.locator("[data-part=count]").fill("1")
    session.kept.clear()
    for name in ("first token of a text not seen before", "first token of the text that is seen"):
        base = passes["generated"]()
        page.locator("[data-part=generate]").click()
        yield name, page.evaluate(MARKED, "first-token"), base
        page.locator("[data-part=tokens-holder] .u").first.wait_for()


if __name__ == "__main__":
    main()
