"""Answers to questions, of models that say where in a passage the answer begins and where it ends."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import Encoded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.head_split import logits_of
from attnscope.models.targets.readout import Readout
from attnscope.models.targets.target import Objective, Target, explained, quantity_of, written_text

# The model's own answer is at most so many tokens long, as usual for these models.
# Where a model takes this much off a logit, or more, it does not want an answer to begin or end.
_RULED_OUT = -1e5
_LONGEST = 30


def answer(model: Model, encoded: Encoded, target: Target) -> Objective:
    """A passage of the text as the answer; by default the one that the model gives.

    Its value is log P(it begins there) + log P(it ends there), each a probability over the tokens of the text; as a
    logit, the sum of both. A text that stands there several times is the answer where the model finds it likeliest.
    """
    ends = _ends(model, encoded.inputs)
    texts = [written_text(t) for t in (target.target, target.against) if t is not None]
    spans = [_span_of(encoded, text, ends) for text in texts] or [_likeliest(encoded, ends)]
    if min(float(ends[place].min()) for span in spans for place in span) < _RULED_OUT:
        raise InputError(
            f"{type(model.model).__name__} allows no answer there (to BigBird all that stands before the first "
            "separator is the question): give the question as the text, and the passage as text_pair"
        )
    quantity = quantity_of(target, "log_probability")
    readout = Readout(
        encoded.inputs,
        tuple(place for span in spans for place in span),
        (0, 1) * len(spans),
        tuple(sign for sign, _ in zip((1, -1), spans, strict=False) for _ in range(2)),
        quantity,
    )
    shown = [repr(encoded.text[encoded.tokens[a].start : encoded.tokens[b].end].strip()) for a, b in spans]
    what = f"the {'' if texts else 'given '}answer {' minus that of '.join(shown)}"
    fixed = tuple(dict.fromkeys(readout.positions))
    return Objective(encoded, (readout,), explained(what, quantity), quantity, fixed=fixed)


def _ends(model: Model, inputs: Mapping[str, Sequence[int]]) -> Tensor:
    """(token, 2) The logits of where the answer begins and where it ends."""
    net = model.model
    with unchanged(net), torch.no_grad():
        ends: Tensor = logits_of(net, tensors(net, inputs))[0].float().cpu()
    return ends


def _passage(encoded: Encoded) -> list[int]:
    """The tokens that an answer is made of: those of a pair's second text, or of the whole text."""
    start, end = encoded.pair.parts["text_pair"] if encoded.pair else (0, len(encoded.text))
    tokens = [i for i, t in enumerate(encoded.tokens) if not t.special and start <= t.start < t.end <= end]
    if not tokens:
        raise InputError("the passage has no tokens: give the question as the text, and the passage as text_pair")
    return tokens


def _span_of(encoded: Encoded, text: str, ends: Tensor) -> tuple[int, int]:
    """The first and last token of `text` in the passage."""
    passage = _passage(encoded)
    wanted = text.strip()
    start = encoded.tokens[passage[0]].start
    found: list[tuple[int, int]] = []
    while wanted and (at := encoded.text.find(wanted, start)) >= 0:
        inside = [i for i in passage if encoded.tokens[i].start < at + len(wanted) and at < encoded.tokens[i].end]
        if inside:
            found.append((inside[0], inside[-1]))
        start = at + 1
    if not found:
        raise InputError(f"the answer {text!r} does not stand in the passage: give it as it is written there")
    return max(found, key=lambda span: float(ends[span[0], 0] + ends[span[1], 1]))


def _likeliest(encoded: Encoded, ends: Tensor) -> tuple[int, int]:
    """The first and last token of the answer that the model gives."""
    passage = torch.tensor(_passage(encoded))
    scores = ends[passage, 0][:, None] + ends[passage, 1][None]
    lengths = torch.arange(len(passage))[None] - torch.arange(len(passage))[:, None]
    scores = scores.masked_fill((lengths < 0) | (lengths >= _LONGEST), -torch.inf)
    first, last = divmod(int(scores.argmax()), len(passage))
    return int(passage[first]), int(passage[last])
