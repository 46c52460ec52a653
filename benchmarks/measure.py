"""One measurement in its own process: `python measure.py CASE TOKENS` prints seconds and extra memory as JSON.

Seconds are wall-clock time and processor time, which other processes disturb less.

Extra memory is how far the peak of the process rises above the loaded model and one short forward pass.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import attnscope as ats
from attnscope.models.intervention.knock_out import KnockOut
from attnscope.models.targets.target import Target
from attnscope.studies.citation.prompt import CHAT, filled, named
from attnscope.studies.effects.experiment import experiment
from attnscope.text.inputs import Reading

TEXT = (Path(__file__).parent.parent / "LICENSE").read_text()
WARM_UP = 16


def peak_mb() -> float:
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def text_of(model: ats.Model, tokens: int) -> str:
    """Real English, repeated until it has at least that many tokens, cut at a token."""
    text = TEXT
    while len(model.tokenizer.tokenize(text)) < tokens:
        text += TEXT
    offsets = model.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    return text[: offsets[tokens - 1][1]]


def plain(model: ats.Model, text: str) -> dict[str, Any]:
    return dict(model.tokenizer(text, return_tensors="pt"))


def forward(model: ats.Model, text: str) -> None:
    """The plain forward pass with SDPA, with the logits of every position."""
    with torch.no_grad():
        model.model(**plain(model, text))


def body(model: ats.Model, text: str) -> None:
    """The plain forward pass without the language-model head."""
    with torch.no_grad():
        model.model.base_model(**plain(model, text), use_cache=False)


def eager(model: ats.Model, text: str) -> None:
    """What other tools do: every attention matrix of every layer."""
    model.model.set_attn_implementation("eager")
    with torch.no_grad():
        model.model(**plain(model, text), output_attentions=True)


def row(model: ats.Model, text: str) -> None:
    """attnscope: what the last token attends to in the last layer."""
    ats.attention(model, text, query=-1)


def mean(model: ats.Model, text: str) -> None:
    """attnscope: the mean over all queries in the last layer."""
    ats.attention(model, text)


def backward(model: ats.Model, text: str) -> None:
    """`loss.backward()` on the unmodified model."""
    inputs = plain(model, text)
    embeddings = model.model.get_input_embeddings()(inputs["input_ids"]).detach().requires_grad_()
    model.model(
        inputs_embeds=embeddings, attention_mask=inputs["attention_mask"], labels=inputs["input_ids"]
    ).loss.backward()
    model.model.zero_grad()


def gradient(model: ats.Model, text: str) -> None:
    """attnscope: the gradient."""
    ats.explain(model, text, method="gradient")


def mask_gradient(model: ats.Model, text: str) -> None:
    """attnscope: the gradient at a mask on the keys."""
    ats.explain(model, text, method="mask_gradient")


def eager_rollout(model: ats.Model, text: str) -> None:
    """Rollout as it is usually written: every matrix held, then products of head means in numpy."""
    model.model.set_attn_implementation("eager")
    with torch.no_grad():
        layers = model.model(**plain(model, text), output_attentions=True).attentions
    result = np.eye(layers[0].shape[-1], dtype=np.float32)
    for weights in layers:
        result = (0.5 * weights[0].numpy().mean(0) + 0.5 * np.eye(len(result), dtype=np.float32)) @ result


def rollout(model: ats.Model, text: str) -> None:
    """attnscope: rollout for the last token."""
    ats.explain(model, text, method="rollout", query=-1)


def maps(model: ats.Model, text: str) -> None:
    """attnscope: every map in 8 bits, with all statistics."""
    ats.attention_maps(model, text)


def without(model: ats.Model, text: str, taken: KnockOut) -> None:
    """attnscope: the next token's log-probability without a part of the model, in one pass."""
    of = experiment(model, text, Target(target=" and"), Reading(), None, attention=True, layers=False)
    of.passes[0].without([taken])


def head_out(model: ats.Model, text: str) -> None:
    """attnscope: one pass without a head."""
    without(model, text, KnockOut(heads={(15, 7): None}))


def edge_out(model: ats.Model, text: str) -> None:
    """attnscope: one pass without the edge from the last token to the first, in all layers."""
    last = len(plain(model, text)["input_ids"][0]) - 1
    without(model, text, KnockOut(edges=dict.fromkeys(range(30), frozenset({(last, 0)}))))


def all_heads(model: ats.Model, text: str) -> None:
    """attnscope: the exact effect of every head."""
    if len(text) > WARM_UP * 20:  # not for a warm-up
        ats.head_effects(model, text, " and", exact="all")
    else:
        ats.head_effects(model, text, " and", exact=1)


QUESTION, ANSWER = "What does the licence allow?", "It allows use, copies and changes."


def passages_of(text: str) -> list[str]:
    """The text as 20 passages of equal length."""
    size = len(text) // 20
    return [text[i * size : (i + 1) * size].strip() or "a" for i in range(20)]


def cite_loop(model: ats.Model, text: str) -> None:
    """Leave-one-out as it is usually written: a plain forward pass over the prompt without each passage, one by one."""
    passages = passages_of(text)
    for left_out in range(-1, len(passages)):
        kept = named([passage for i, passage in enumerate(passages) if i != left_out])
        prompt = filled(CHAT, QUESTION, kept)
        said = [{"role": "user", "content": prompt}, {"role": "assistant", "content": ANSWER}]
        whole = model.tokenizer.apply_chat_template(said, return_tensors="pt", return_dict=True)
        with torch.no_grad():
            model.model(**whole).logits.log_softmax(-1)


def cite(model: ats.Model, text: str) -> None:
    """attnscope: what the answer loses without each of 20 passages."""
    ats.cite(model, QUESTION, passages_of(text), ANSWER, depth="source")


def cite_halves(model: ats.Model, text: str) -> None:
    """attnscope: the passage that the answer loses most without, by halving."""
    ats.cite(model, QUESTION, passages_of(text), ANSWER, depth="source", search="halves")


CASES: dict[str, Callable[[ats.Model, str], None]] = {
    case.__name__: case
    for case in (
        forward,
        body,
        eager,
        row,
        mean,
        backward,
        gradient,
        mask_gradient,
        eager_rollout,
        rollout,
        maps,
        head_out,
        edge_out,
        all_heads,
        cite_loop,
        cite,
        cite_halves,
    )
}


def loaded(tokens: int) -> ats.Model:
    """The bundled model; for more tokens than its positions, a small random Llama of two layers and two heads."""
    bundled = ats.load(dtype=torch.float32)
    if tokens <= (bundled.positions or tokens):
        return bundled
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=bundled.model.config.vocab_size, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=tokens,
    )  # fmt: skip
    return ats.Model(LlamaForCausalLM(config).eval(), bundled.tokenizer)


# The plain cases run with torch's defaults: `ats.load` would turn on huge pages.
PLAIN = ("forward", "body", "eager", "backward", "eager_rollout", "cite_loop")


def main() -> None:
    case, tokens = CASES[sys.argv[1]], int(sys.argv[2])
    if case.__name__ in PLAIN:
        os.environ["THP_MEM_ALLOC_ENABLE"] = "0"
    model = loaded(tokens)
    for parameter in model.model.parameters():
        parameter.detach().sum()  # weights are mapped from disk: now they are in memory
    text = text_of(model, tokens)
    # Before the warm-up, so that what a case holds on to, such as the gradients of parameters, counts as well.
    forward(model, text_of(model, WARM_UP))
    before = peak_mb()
    case(model, text_of(model, WARM_UP))
    start, worked = time.perf_counter(), time.process_time()
    case(model, text)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    result = {"seconds": seconds, "core_seconds": worked, "extra_mb": peak_mb() - before}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
