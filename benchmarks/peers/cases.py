"""One measurement in its own process: `python cases.py CASE TASK OUT` runs a case on a task file.

A task holds a checkpoint folder, a prompt and the tokens that the model writes after it. The case runs once on a short
task, then it is timed. It prints seconds, processor seconds and extra memory (how far the peak of the process rises
above the loaded model and one short forward pass) as JSON, and writes its scores, (target token, prompt token) or
(word,), to OUT.
"""

import json
import logging
import re
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

IG_STEPS = 20


@dataclass(frozen=True)
class Task:
    folder: str
    prompt: str
    written: str  # what the model writes after the prompt
    ids: tuple[int, ...]  # its tokens
    count: int  # the prompt's tokens


def peak_mb() -> float:
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


# attnscope -----------------------------------------------------------------------------------------------------------


def load_ours(task: Task) -> Any:
    import attnscope as ats

    return ats.load(task.folder, dtype=torch.float32)


def _explain(model: Any, task: Task, method: str, **parameters: Any) -> np.ndarray:
    import attnscope as ats

    result = ats.explain(model, task.prompt, method=method, target=task.written, per_token=True, **parameters)
    assert len(result.targets) == len(task.ids)
    scores: np.ndarray = result.token_scores[:, : task.count]
    return scores


def gradient(model: Any, task: Task) -> np.ndarray:
    return _explain(model, task, "gradient", quantity="probability")


def gradient_x_input(model: Any, task: Task) -> np.ndarray:
    return _explain(model, task, "gradient_x_input")


def integrated_gradients(model: Any, task: Task) -> np.ndarray:
    return _explain(model, task, "integrated_gradients", baseline="pad", steps=IG_STEPS)


def deletion(model: Any, task: Task) -> np.ndarray:
    import attnscope as ats

    result = ats.explain(model, task.prompt, method="deletion", target=task.written, signed=True)
    scores: np.ndarray = result.scores
    return scores


# plain transformers, captum, inseq -----------------------------------------------------------------------------------


def load_plain(task: Task) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    net = AutoModelForCausalLM.from_pretrained(task.folder, dtype=torch.float32).eval()
    return net, AutoTokenizer.from_pretrained(task.folder)


def one_forward_per_word(loaded: Any, task: Task) -> np.ndarray:
    """Leave out the tokens of each word, one forward pass per word: the log-probability that is lost."""
    from attnscope.models.inputs.encode import encode

    net, tokenizer = loaded
    encoded = encode(tokenizer, task.prompt)
    prompt = encoded.inputs["input_ids"]

    def value(before: list[int]) -> float:
        with torch.no_grad():
            logits = net(torch.tensor([[*before, *task.ids]])).logits[0].log_softmax(-1)
        return sum(float(logits[len(before) - 1 + i, identity]) for i, identity in enumerate(task.ids))

    whole = value(prompt)
    return np.array([whole - value([t for i, t in enumerate(prompt) if i not in w.tokens]) for w in encoded.words])


def captum_gradient_x_input(loaded: Any, task: Task) -> np.ndarray:
    from captum.attr import LayerGradientXActivation, LLMGradientAttribution, TextTokenInput

    net, tokenizer = loaded
    explainer = LLMGradientAttribution(LayerGradientXActivation(net, net.get_input_embeddings()), tokenizer)
    found = explainer.attribute(TextTokenInput(task.prompt, tokenizer), target=torch.tensor(task.ids))
    scores: np.ndarray = found.token_attr.detach().numpy()
    return scores


def captum_integrated_gradients(loaded: Any, task: Task) -> np.ndarray:
    """One token after the other. (The wrapper for language models uses another path to the baseline.)"""
    from captum.attr import LayerIntegratedGradients

    net, tokenizer = loaded
    prompt = tokenizer(task.prompt)["input_ids"]
    rows = []
    for number, identity in enumerate(task.ids):
        read = torch.tensor([[*prompt, *task.ids[:number]]])

        def value(ids: torch.Tensor, identity: int = identity) -> torch.Tensor:
            return net(ids).logits[:, -1].log_softmax(-1)[:, identity]

        method = LayerIntegratedGradients(value, net.get_input_embeddings())
        baseline = torch.full_like(read, tokenizer.pad_token_id)
        rows.append(method.attribute(read, baselines=baseline, n_steps=IG_STEPS).sum(-1).detach().numpy()[0])
    return np.stack([row[: len(prompt)] for row in rows])


def load_inseq(task: Task) -> Any:
    import inseq

    logging.disable(logging.WARNING)
    net, tokenizer = load_plain(task)
    return inseq.load_model(net, "saliency", tokenizer=tokenizer)


def inseq_saliency(loaded: Any, task: Task) -> np.ndarray:
    found = loaded.attribute(
        task.prompt, generated_texts=task.prompt + task.written, method="saliency", show_progress=False
    )
    # (attributed token, target token, hidden)
    scores = found.sequence_attributions[0].target_attributions[: task.count]
    assert scores.shape[1] == len(task.ids), f"inseq reads {scores.shape[1]} target tokens"
    rows: np.ndarray = scores.transpose(0, 1).norm(dim=-1).numpy()
    return rows


Run = Callable[[Any, Task], np.ndarray]
CASES: dict[str, tuple[Callable[[Task], Any], Run]] = {
    "gradient": (load_ours, gradient),
    "gradient_x_input": (load_ours, gradient_x_input),
    "integrated_gradients": (load_ours, integrated_gradients),
    "deletion": (load_ours, deletion),
    "one_forward_per_word": (load_plain, one_forward_per_word),
    "captum_gradient_x_input": (load_plain, captum_gradient_x_input),
    "captum_integrated_gradients": (load_plain, captum_integrated_gradients),
    "inseq_saliency": (load_inseq, inseq_saliency),
}


def _short(task: Task) -> Task:
    """A short text, on which everything that a process does only once is done."""
    words = re.findall(r"\S+", task.prompt)[:6]
    return replace(task, prompt=" ".join(words), ids=task.ids[:2])


def main() -> None:
    load, run = CASES[sys.argv[1]]
    task = Task(**json.loads(Path(sys.argv[2]).read_text()))
    loaded = load(task)
    net = loaded[0] if isinstance(loaded, tuple) else loaded.model
    tokenizer = loaded[1] if isinstance(loaded, tuple) else loaded.tokenizer
    for parameter in net.parameters():
        parameter.detach().sum()  # weights are mapped from disk: now they are in memory
    short = _short(task)
    ids = tokenizer(short.prompt)["input_ids"]
    short = replace(short, count=len(ids), written=tokenizer.decode(list(short.ids)))
    with torch.no_grad():
        net(torch.tensor([ids]))
    before = peak_mb()
    run(loaded, short)
    start, worked = time.perf_counter(), time.process_time()
    scores = run(loaded, task)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    np.save(sys.argv[3], scores)
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": worked, "extra_mb": peak_mb() - before}) + "\n")


if __name__ == "__main__":
    main()
