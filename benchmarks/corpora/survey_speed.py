"""How fast a list and a survey are: SmolLM2 on reviews of 5 to 60 words, side by side in one run.

python benchmarks/corpora/survey_speed.py --texts 500 [--threads 2] [--peers PYTHON]
python benchmarks/corpora/survey_speed.py floor        what bare passes of the model allow, whoever runs them

The reviews are cut into blocks; of each block a list, our own calls one by one, and captum's one by one (where PYTHON
has it, as `make bench` gives it) run in turn, so that a slow minute hits all. Ratios are of time by the clock; those of
processor time stand beside them.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import attnscope as ats
from attnscope.methods.calls.advice import without_advice
from attnscope.models.loading.bundled import folder
from attnscope.studies.survey import explaining

sys.path.insert(0, str(Path(__file__).parent.parent))
from sentiment import rated_reviews

BLOCKS = 4
# Of the texts, one in so many is explained by deletion, which takes a pass a word.
DELETED = 25
PART = 50

Spent = tuple[float, float]  # by the clock, of the processor


def reviews(count: int) -> list[str]:
    """Reviews of 5 to 60 words, in the order of a hash of the text."""
    texts = dict.fromkeys(text for text, _ in rated_reviews() if 5 <= len(text.split()) <= 60)
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).hexdigest())[:count]


def spent(run: Callable[[], Any]) -> Spent:
    """What a call takes."""
    begun, worked = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - begun, time.process_time() - worked


class Peer:
    """captum in a process of its own: the gradient of one text after another."""

    def __init__(self, python: str, threads: int) -> None:
        command = [
            python,
            str(Path(__file__).parent.parent / "peers" / "one_at_a_time.py"),
            str(folder()),
            str(threads),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def of(self, texts: Sequence[str]) -> tuple[Spent, list[np.ndarray]]:
        """What it took, and each text's norm at each token."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(list(texts)) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        return (found["seconds"], found["cpu"]), [np.array(scores) for scores in found["scores"]]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def lists(model: ats.Model, texts: Sequence[str], peer: Peer | None) -> None:
    """A list beside calls one by one, ours and captum's."""
    taken: dict[str, list[Spent]] = {}
    differs = 0.0
    for block in (texts[i::BLOCKS] for i in range(BLOCKS)):
        for method in ("gradient", "gim"):
            taken.setdefault(f"{method}, a list", []).append(spent(partial(ats.explain, model, block, method)))
            taken.setdefault(f"{method}, one by one", []).append(spent(partial(_each, model, block, method)))
        if peer is not None:
            seconds, theirs = peer.of(block)
            taken.setdefault("captum's gradient, one by one", []).append(seconds)
            ours = ats.explain(model, block[:3], "gradient")
            for one, other in zip(ours, theirs, strict=False):
                differs = max(differs, float(np.abs(one.token_scores - other).max() / other.max()))
    for name, found in taken.items():
        print(f"{name}: {len(texts) / sum(clock for clock, _ in found):.2f} texts a second")
    for method in ("gradient", "gim"):
        _ratio(f"{method}: our calls one by one ÷ a list", taken[f"{method}, one by one"], taken[f"{method}, a list"])
        if peer is not None:
            captum = taken["captum's gradient, one by one"]
            _ratio(f"{method}: captum's gradient one by one ÷ a list", captum, taken[f"{method}, a list"])
    if peer is not None:
        print(f"captum's and our norms differ by at most {differs:.1e} of a text's largest")


def deletion(model: ats.Model, texts: Sequence[str]) -> None:
    """Deletion of a list of texts, beside a call a text, and beside a knock_out call for each word."""
    together, alone, single = [], [], []
    for block in (texts[i::BLOCKS] for i in range(BLOCKS)):
        together.append(spent(partial(ats.explain, model, block, "deletion", target=" positive")))
        alone.append(spent(partial(_each, model, block, "deletion", target=" positive")))
        words = {text: list({w.text: 1 for w in ats.explain(model, text, "gradient").words}) for text in block}
        single.append(spent(partial(_word_by_word, model, words)))
    _ratio("deletion: a call a text ÷ a list", alone, together)
    _ratio("deletion: a knock_out call for each word ÷ a list", single, together)


def _each(model: ats.Model, texts: Sequence[str], method: str, **given: Any) -> None:
    for text in texts:
        ats.explain(model, text, method, **given)


def _word_by_word(model: ats.Model, words: Mapping[str, Sequence[str]]) -> None:
    for text, of_text in words.items():
        for word in of_text:
            ats.knock_out(model, text, target=" positive", words=[word])


def _ratio(what: str, slow: Sequence[Spent], fast: Sequence[Spent]) -> None:
    """How many times as long, by the clock over all blocks, its range over blocks, and in processor time."""
    clock, worked = (sum(s[i] for s in slow) / sum(f[i] for f in fast) for i in range(2))
    each = sorted(s[0] / f[0] for s, f in zip(slow, fast, strict=True))
    print(f"{what}: {clock:.2f} × ({each[0]:.2f} to {each[-1]:.2f}; in processor time {worked:.2f} ×)")


def bookkeeping(model: ats.Model, texts: Sequence[str], to: Path) -> float:
    """Seconds by the clock of a whole survey in this process; prints what is not explaining a part's texts."""
    with _timed_explain() as inside:
        clock, _ = spent(partial(ats.survey, model, texts, to=to, part_texts=PART))
    # The first call is that of the texts on which everything about the model is learnt.
    apart = 1 - sum(inside[1:]) / clock
    print(
        f"a survey: {len(texts) / clock:.2f} texts a second; "
        f"writing and bookkeeping, preparations included: {apart:.1%}"
    )
    return clock


@contextmanager
def _timed_explain() -> Iterator[list[float]]:
    """The seconds of each call of `explain` that a survey makes."""
    explain, seconds = explaining.explain, list[float]()

    def timed(*given: Any, **more: Any) -> Any:
        begun = time.perf_counter()
        try:
            return explain(*given, **more)
        finally:
            seconds.append(time.perf_counter() - begun)

    explaining.explain = timed
    try:
        yield seconds
    finally:
        explaining.explain = explain


def on_ray(model: ats.Model, texts: Sequence[str], to: Path, here: float, threads: int) -> None:
    """The same survey by as many actors of one thread each as the plain engine has threads."""
    import ray

    ray.init(num_cpus=threads + 1, include_dashboard=False, log_to_driver=False)
    few, _ = spent(partial(_on_ray, model, texts[:threads], to / "few", threads, 1))
    whole, _ = spent(partial(_on_ray, model, texts, to / "whole", threads, PART))
    ray.shutdown()
    print(
        f"Ray, {threads} actors of a thread each: {len(texts) / whole:.2f} texts a second, {here / whole:.2f} × the "
        f"plain engine with {threads} threads; {here / (whole - few):.2f} × without the {few:.0f} s of starting them"
    )


def _on_ray(model: ats.Model, texts: Sequence[str], to: Path, actors: int, part: int) -> None:
    ats.survey(model, texts, to=to, engine="ray", concurrency=actors, part_texts=part)


def floor(model: ats.Model) -> None:
    """Tokens a processor second of bare passes forward and back to the embeddings, without the head, by batch."""
    net, generator = model.model.requires_grad_(False), torch.Generator().manual_seed(0)
    for tokens in (20, 40, 80):
        rates = []
        for size in (1, 2, 4, 8, 16, 32):
            ids = torch.randint(100, 40_000, (size, tokens), generator=generator)
            least = min(spent(partial(_there_and_back, net, ids))[1] for _ in range(5))
            rates.append(size * tokens / least)
        cells = ", ".join(f"{size} {rate:.0f}" for size, rate in zip((1, 2, 4, 8, 16, 32), rates, strict=True))
        best = max(rates) / rates[0]
        print(f"{tokens} tokens a text; texts a pass and tokens a processor second: {cells}; best {best:.2f} ×")


def _there_and_back(net: Any, ids: torch.Tensor) -> None:
    leaf = net.get_input_embeddings()(ids).detach().requires_grad_()
    out = net.base_model(inputs_embeds=leaf, use_cache=False).last_hidden_state
    torch.autograd.grad(out.sum(), leaf)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default="all", choices=["all", "floor", "lists", "deletion", "survey"])
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--peers", help="the Python of an environment that has captum")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model, texts = ats.load(), reviews(given.texts)
    words = np.mean([len(text.split()) for text in texts])
    print(f"{len(texts)} reviews, {words:.0f} words on average; {given.threads} threads")

    def wanted(what: str) -> bool:
        return what in given.what or "all" in given.what

    with without_advice():
        for method in ("gradient", "gim", "deletion"):
            ats.explain(model, texts[:2], method)
        if wanted("floor"):
            floor(model)
        if wanted("lists"):
            peer = Peer(given.peers, given.threads) if given.peers else None
            if peer is not None:
                peer.of(texts[:2])
            lists(model, texts, peer)
            if peer is not None:
                peer.close()
        if wanted("deletion"):
            deletion(model, texts[: max(BLOCKS * 2, len(texts) // DELETED)])
        if wanted("survey"):
            with tempfile.TemporaryDirectory() as scratch:
                to = Path(scratch)
                on_ray(model, texts, to, bookkeeping(model, texts, to / "here"), given.threads)


if __name__ == "__main__":
    sys.exit(main())
