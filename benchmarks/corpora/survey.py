"""The numbers of docs/survey.md, each by one command.

python benchmarks/corpora/survey.py proof                  which words and heads carry sentiment in reviews (SmolLM2)
python benchmarks/corpora/survey.py proof --classifier tuned    the same words in a classifier tuned on such reviews
python benchmarks/corpora/survey.py memory 1000 10000 100000    memory above the model, each in a process of its own
python benchmarks/corpora/survey.py page 100000    the page of as many made-up texts, in Chromium
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from playwright.sync_api import sync_playwright

import attnscope as ats
from attnscope.results.files.folder import Folder
from attnscope.results.statistics import spearman

sys.path.insert(0, str(Path(__file__).parent.parent))
from sentiment import LABELS, _valences, classifier, rated_reviews
from tuned_sentiment import held_out, tuned_classifier

# In the page: the longest of ten clicks, and of 40 frames, in milliseconds.
CLICKS = """() => Math.max(...[...document.querySelectorAll("[data-word]")].slice(0, 10).map((word) => {
  const begun = performance.now();
  word.click();
  document.body.offsetHeight;
  return performance.now() - begun;
}))"""
SCROLL = """() => new Promise((done) => {
  const frames = [];
  let before = performance.now();
  const next = (now) => {
    frames.push(now - before);
    before = now;
    scrollBy(0, 120);
    if (frames.length < 40) requestAnimationFrame(next);
    else done(Math.max(...frames.slice(2)));
  };
  requestAnimationFrame(next);
})"""
TEMPLATE = "Review: {text}\nSentiment:"


def reviews(count: int, shortest: int, longest: int) -> list[dict[str, Any]]:
    """As many reviews as there are of this many words, positive and negative in turn."""
    by_label: dict[int, list[str]] = {0: [], 1: []}
    for text, rated in rated_reviews():
        if shortest <= len(text.split()) <= longest:
            by_label[rated].append(text)
    pairs = zip(*(dict.fromkeys(by_label[label]) for label in (1, 0)), strict=False)
    rows = [{"text": text, "gold": LABELS[label]} for pair in pairs for label, text in zip((0, 1), pair, strict=True)]
    return rows[:count]


def unseen(count: int) -> list[dict[str, Any]]:
    """Reviews that the tuned classifier has not learnt from: the sentences held out, and short ones of another site."""
    short = dict.fromkeys(row for row in rated_reviews("imdb") if 5 <= len(row[0].split()) <= 60)
    sources = (("rotten_tomatoes", held_out()), ("imdb", list(short)))
    return [
        {"text": text, "gold": LABELS[1 - label].strip(), "source": source}
        for source, rows in sources
        for text, label in rows[: count // 2]
    ]


def proof(count: int, to: Path, which: str) -> None:
    """What a model makes of reviews: words by label, agreement with VADER, heads, and where it is wrong."""
    if which == "tuned":
        labels, template, model = tuple(label.strip() for label in LABELS), None, tuned_classifier()
        rows = unseen(count)
    elif which == "head":
        labels, template, model = tuple(label.strip() for label in LABELS), None, classifier()
        rows = [{**row, "gold": row["gold"].strip()} for row in reviews(count, 18, 40)]
    else:
        labels, template, model = LABELS, TEMPLATE, ats.load()
        rows = reviews(count, 5, 25)
    begun = time.monotonic()
    survey = ats.survey(
        model, rows, ["gradient", "gim"], to=to, template=template, labels=labels, target=labels[0],
        against=labels[1], heads=not which, part_texts=64, keep=["source"] if which == "tuned" else [],
    )  # fmt: skip
    seconds = time.monotonic() - begun
    summary = survey.summary()
    print(f"{len(rows)} reviews in {seconds:.0f} s here\n\n{summary.table()}")
    valence = _valences()
    for method in summary.methods:
        values = _by_word(survey, method)
        known = sorted(word for word in values if word in valence)
        signed = spearman(np.array([values[w] for w in known]), np.array([valence[w] for w in known]))
        size = spearman(np.array([abs(values[w]) for w in known]), np.array([abs(valence[w]) for w in known]))
        print(f"{method}: rank correlation with VADER over {len(known)} words: {signed:.2f}; of magnitudes {size:.2f}")
    for path in ("survey.html", "survey.svg"):
        print(ats.save(summary, to / path))
    if not which:
        profiles = survey.head_profiles()
        print(f"\n{profiles.table()}")
        print(ats.save(profiles, to / "heads.html"))


def _by_word(survey: ats.Survey, method: str) -> dict[str, float]:
    """The mean score of each word that is in three texts or more."""
    frame = survey.to_pandas("words")
    frame = frame[frame.method == method].assign(word=lambda f: f.word.str.lower())
    grouped = frame.groupby(["word", "number"]).score.mean().groupby("word").agg(["mean", "count"])
    return {str(word): float(mean) for word, mean in grouped[grouped["count"] >= 3]["mean"].items()}


def memory(counts: list[int]) -> None:
    """The peak of a survey above the loaded model, with a small random model."""
    for count in counts:
        done = subprocess.run([sys.executable, __file__, "one", str(count)], capture_output=True, text=True, check=True)
        print(done.stdout.strip())


def one(count: int) -> None:
    """One point of the curve, as JSON."""
    sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / part) for part in ("support", "")]
    from tiny_models import small

    model = small("llama", 2.0)
    torch.set_num_threads(1)
    generator = np.random.default_rng(0)

    def texts() -> Iterator[str]:
        for _ in range(count):
            yield " ".join(generator.choice(list("abcdef"), generator.integers(5, 30)))

    ats.explain(model, "a b c d")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        ats.survey(model, texts(), to=Path(folder) / "out")
        spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"texts": count, "extra_mb": round(peak - before), "texts_per_cpu_second": round(count / spent)}))


def page(count: int) -> None:
    """Prints how large the page of a survey of this many texts is, what it takes to make, and how it feels."""
    with tempfile.TemporaryDirectory() as scratch:
        _made_up(Folder(f"{scratch}/out"), count)
        begun = time.process_time()
        path = ats.save(ats.load_result(f"{scratch}/out"), f"{scratch}/survey.html")
        made = time.process_time() - begun
        print(f"{count:,} texts: {path.stat().st_size / 1e6:.1f} MB, made in {made:.0f} s of processor time")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            shown = browser.new_page(viewport={"width": 1280, "height": 900})
            begun = time.perf_counter()
            shown.goto(path.as_uri())
            shown.wait_for_selector("[data-word]")
            print(f"opens in {time.perf_counter() - begun:.1f} s")
            print(f"a click on a word takes at most {shown.evaluate(CLICKS):.0f} ms")
            print(f"the longest frame of scrolling down: {shown.evaluate(SCROLL):.0f} ms")
            browser.close()


def _made_up(folder: Folder, count: int) -> None:
    """The tables of a survey: texts of 20 words of 20,000, with random scores by two methods."""
    generator = np.random.default_rng(0)
    methods, words, part = ("gradient", "gim"), 20, 256
    settings = {"methods": [[method, {}] for method in methods]}
    folder.write_json(
        "survey.json", {"schema": 3, "type": "survey", "settings": settings, "provenance": {"model": "none"}}
    )
    for first in range(0, count, part):
        numbers = np.arange(first, min(first + part, count))
        chosen = [
            [f"word{i}" for i in row] for row in (20_000 * generator.random((len(numbers), words)) ** 3).astype(int)
        ]
        ends = [np.cumsum([len(word) + 1 for word in row]) - 1 for row in chosen]
        flat, size = [word for row in chosen for word in row], len(numbers) * words
        end = np.concatenate(ends)
        of_methods = [
            pa.table({
                "number": np.repeat(numbers, words),
                "word": flat,
                "start": pa.array(end - [len(word) for word in flat], pa.int32()),
                "end": pa.array(end, pa.int32()),
                "score": generator.normal(0, 1, size),
                "method": [method] * size,
                "segment": pa.nulls(size, pa.string()),
                "rationale": pa.nulls(size, pa.bool_()),
            })
            for method in methods
        ]  # fmt: skip
        folder.write("words", f"{first // part:06d}-x.parquet", pa.concat_tables(of_methods))
        said = {
            "number": numbers,
            "text": [" ".join(row) for row in chosen],
            "prediction": [("positive", "negative")[i % 2] for i in numbers],
            "gold": [("positive", "negative")[i % 3 % 2] for i in numbers],
            "probability": np.full(len(numbers), 0.9),
            "error": pa.nulls(len(numbers), pa.string()),
        }
        folder.write("texts", f"{first // part:06d}-x.parquet", pa.table(said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["proof", "memory", "one", "page"])
    parser.add_argument("counts", nargs="*", type=int)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--to", type=Path, default=Path("survey-of-reviews"))
    parser.add_argument(
        "--classifier", choices=["", "head", "tuned"], default="", help="MiniLM, of which this learnt sentiment here"
    )
    given = parser.parse_args()
    if given.what == "proof":
        proof(given.texts, given.to, given.classifier)
    elif given.what == "memory":
        memory(given.counts or [1_000, 10_000, 100_000])
    elif given.what == "page":
        page(*given.counts or [100_000])
    else:
        one(given.counts[0])


if __name__ == "__main__":
    main()
