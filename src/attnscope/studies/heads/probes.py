"""What each head does on inputs whose answer is known: random tokens that come twice, and planted needles.

Only for causal language models. The inputs are made of the vocabulary's own tokens by a fixed seed.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.output_projection import output_projections, per_head
from attnscope.models.loading.load import Model
from attnscope.models.typed import device_of, output_layer, weight_of
from attnscope.results.corpus.head_profiles import HeadSums, Place

SEED = 0
# Random sequences, the tokens of one copy, the likeliest tokens that count as copied.
SEQUENCES, COPY, LIKELIEST = 8, 24, 5
# Haystacks, their tokens, those of a needle: a key and what is to be retrieved.
HAYSTACKS, HAY, KEY, NEEDLE = 12, 120, 4, 6


def probed(model: Model, places: tuple[Place, ...]) -> list[HeadSums]:
    """The sums of "induction", "copying" and "retrieval" over probes; none for a model that is not causal.

    A probe that is longer than what the model reads is left out.
    """
    net = model.model
    if task_of(net) != "causal" or is_encoder_decoder(net):
        return []
    found = []
    for names, count, length, probe in (
        (("induction", "copying"), SEQUENCES, 2 * COPY, _repeated),
        (("retrieval",), HAYSTACKS, HAY + 2 * (KEY + NEEDLE) - 1, _needle),
    ):
        sums = HeadSums(names, places)
        if model.positions is not None and length + len(_start(model)) > model.positions:
            continue  # the model reads nothing that long
        for number in range(count):
            sums.add(probe(model, places, number), -1)
        found.append(sums)
    return found


def _repeated(model: Model, places: tuple[Place, ...], number: int) -> NDArray[np.float64]:
    """(2, place): prefix match and copying on one random sequence that comes twice."""
    ids = random_ids(model, COPY, number)
    start = _start(model)
    inputs = _inputs(model, [*start, *ids, *ids])
    first = len(start)
    # The second copy's token i, and the token behind its first copy.
    queries = torch.arange(first + COPY, first + 2 * COPY - 1)
    values = np.full((2, len(places)), np.nan)
    copies = _copying(model, inputs, ids, first)

    def see(layer: int, call: AttentionCall) -> None:
        rows = call.weights(queries)[0]  # (head, query, key)
        followed = rows.gather(2, (queries - COPY + 1).to(rows.device)[None, :, None].expand(len(rows), -1, 1))
        share = copies(layer, call)
        for head in range(len(rows)):
            place = places.index((layer, head))
            values[0, place] = float(followed[head].mean())
            values[1, place] = np.nan if share is None else float(share[head])

    capture(model.model, inputs, sorted({layer for layer, _ in places}), see)
    return values


def _copying(
    model: Model, inputs: dict[str, Tensor], ids: list[int], first: int
) -> Callable[[int, AttentionCall], Tensor | None]:
    """Given a layer's call, how many of the tokens each head copies, as a share, (head,); None where nobody can tell.

    A head's output from one token alone is v W_O; times the vocabulary matrix it says which tokens it raises. The final
    norm is left out, whose scale of the whole vector changes no order.
    """
    net = model.model
    head = output_layer(net)
    try:
        projections = output_projections(net, inputs, "self")
    except ModelError:
        projections = {}
    if head is None or not projections:
        return lambda _layer, _call: None
    distinct = sorted(set(ids))
    vocabulary = weight_of(head)[distinct].detach().float()

    def share(layer: int, call: AttentionCall) -> Tensor | None:
        if layer not in projections or getattr(call, "value", None) is None:
            return None
        value = call.value[0, :, first : first + COPY].float()  # (key head, key, hidden)
        value = value.repeat_interleave(call.heads // len(value), 0)
        output = value @ per_head(net, projections[layer], call.heads).float()  # (head, key, hidden)
        if output.shape[-1] != vocabulary.shape[-1]:
            return None
        raised = output @ vocabulary.T  # (head, key, token)
        best = raised.topk(min(LIKELIEST, len(distinct)), -1).indices
        own = torch.tensor([distinct.index(i) for i in ids], device=best.device)
        return (best == own[None, :, None]).any(-1).double().mean(-1)

    return share


def _needle(model: Model, places: tuple[Place, ...], number: int) -> NDArray[np.float64]:
    """(1, place): the share of a needle's tokens that are each head's most attended key where they are to be written.

    Random tokens hold a key and a needle behind it at some depth; the key comes again at the end, and the needle is
    what a retrieving model writes then, read here token by token.
    """
    hay = random_ids(model, HAY + KEY + NEEDLE, 1000 + number)
    key, needle, hay = hay[:KEY], hay[KEY : KEY + NEEDLE], hay[KEY + NEEDLE :]
    depth = round((number + 0.5) / HAYSTACKS * HAY)
    start = _start(model)
    ids = [*start, *hay[:depth], *key, *needle, *hay[depth:], *key, *needle[:-1]]
    there = len(start) + depth + KEY
    queries = torch.arange(len(ids) - NEEDLE, len(ids))
    wanted = torch.arange(there, there + NEEDLE)
    values = np.full((1, len(places)), np.nan)

    def see(layer: int, call: AttentionCall) -> None:
        most = call.weights(queries)[0].argmax(-1).cpu()  # (head, query)
        for head, hits in enumerate((most == wanted).double().mean(-1).tolist()):
            values[0, places.index((layer, head))] = hits

    capture(model.model, _inputs(model, ids), sorted({layer for layer, _ in places}), see)
    return values


def random_ids(model: Model, count: int, number: int) -> list[int]:
    """Different tokens of the vocabulary that are not special, by the seed; with repetition in a small vocabulary."""
    special = set(model.tokenizer.all_special_ids)
    size = min(len(model.tokenizer), int(model.model.config.get_text_config().vocab_size))
    usable = [i for i in range(size) if i not in special]
    generator = np.random.default_rng((SEED, number))
    return [int(i) for i in generator.choice(usable, count, replace=len(usable) < count)]


def _start(model: Model) -> list[int]:
    """What the tokenizer puts in front of a text."""
    ids = model.tokenizer("a")["input_ids"]
    special = set(model.tokenizer.all_special_ids)
    return [int(i) for i in ids[:1] if i in special]


def _inputs(model: Model, ids: list[int]) -> dict[str, Tensor]:
    return {"input_ids": torch.tensor([ids], device=device_of(model.model))}


def places_of(model: Model) -> tuple[Place, ...]:
    """Every head of the model's attention weights, in order."""
    net = model.model
    layout = attention_layout(net, _inputs(model, random_ids(model, 8, 0)), "self")
    return tuple((layer, head) for layer, count in sorted(layout.heads_of("self").items()) for head in range(count))
