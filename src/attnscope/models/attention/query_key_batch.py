"""The texts of an attention: who looks, who is looked at, and the model's input for both.

A causal or masked model has one text, which may go on with a continuation; an encoder–decoder has two.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError
from attnscope.models.attention.capture import checked_kind
from attnscope.models.inputs.batching import BUDGET, batches, encoded_texts, tensors
from attnscope.models.inputs.continuation import checked_count, continued, decoder_start, ends, greedy_decoder
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.slow_offsets import align
from attnscope.models.loading.load import Model
from attnscope.text.words import TokenSpan, group


@dataclass(frozen=True)
class Sides:
    """A batch of texts side by side, ready to run.

    members: their places in the list that was given.
    kind:    "self", or in an encoder–decoder "encoder", "decoder" or "cross".
    queries, keys: of each text, who looks and who is looked at; the same unless kind is "cross".
    prompts: of each text, how many characters of it were given; None where all were.
    inputs:  what the model's forward takes, (batch, token).
    """

    model: Model
    members: tuple[int, ...]
    kind: str
    queries: tuple[Encoded, ...]
    keys: tuple[Encoded, ...]
    prompts: tuple[int | None, ...]
    inputs: dict[str, Tensor]


def sides(
    model: Model,
    text: str | Sequence[str | Encoded],
    *,
    kind: str | None = None,
    target: str | None = None,
    generate: int | None = None,
    chat: bool = False,
    truncate: bool = False,
    budget: int = BUDGET,
    before_generation: Callable[[int, int], None] = lambda _tokens, _generated: None,
) -> Iterator[Sides]:
    """The texts in batches of similar length under a budget of tokens.

    kind:     of an encoder–decoder, which attention: "encoder" (the default), "decoder" or "cross".
    target:   what follows the text, or what the decoder reads.
    generate: the model's own greedy continuation instead, of at most so many tokens.
    before_generation: told of each text's tokens and of how many are to come, before they are generated.

    Raises what `encode` and `continued` raise, and InputError or ModelError where kind and model do not fit.
    """
    chosen = checked_kind(model.model, kind)
    if target is not None and generate is not None:
        raise InputError("both a target and generate were given: a generation is its own target, give one")
    encoded = encoded_texts(model, text, chat=chat, truncate=truncate)
    prompts: dict[int, int] = {}
    if generate is not None and chosen != "encoder":
        for one in encoded:
            before_generation(len(one.tokens), checked_count(generate))
    if chosen in ("decoder", "cross"):
        yield from _decoders(model, encoded, chosen, target, generate)
        return
    if chosen == "encoder" and (target is not None or generate is not None):
        raise InputError(
            'the encoder reads nothing but the text: choose kind="decoder" or "cross", or leave out target'
        )
    if target is not None or generate is not None:
        for i, one in enumerate(encoded):
            longer = continued(model, one, target, generate)
            prompts[i] = len(longer.encoded.text) - len(longer.text)
            encoded[i] = longer.encoded
    for batch in batches(model.model, encoded, budget):
        given = tuple(prompts.get(i) for i in batch.members)
        yield Sides(model, batch.members, chosen, batch.encoded, batch.encoded, given, batch.inputs)


def _decoders(
    model: Model, encoded: Sequence[Encoded], kind: str, target: str | None, generate: int | None
) -> Iterator[Sides]:
    net, tokenizer = model.model, model.tokenizer
    if target is None and generate is None:
        raise InputError(f'kind="{kind}" needs a text that the decoder reads: give target="…", or generate=N')
    for i, one in enumerate(encoded):
        inputs = tensors(net, one.inputs)
        special = frozenset(tokenizer.all_special_ids)
        if target is None:
            ids = greedy_decoder(net, inputs, checked_count(generate), ends(model))
            written = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        else:
            ids, written = list(tokenizer(text_target=target, verbose=False)["input_ids"]), target
        ids = [identity for identity in ids if identity not in special]
        if not ids:
            raise InputError("the decoder's text has no tokens but special ones: give a target, or generate more")
        start = decoder_start(net)
        read = _read(model, start, ids, written)
        keys = one if kind == "cross" else read
        inputs["decoder_input_ids"] = torch.tensor([read.inputs["input_ids"]], device=inputs["input_ids"].device)
        yield Sides(model, (i,), kind, (read,), (keys,), (None,), inputs)


def _read(model: Model, start: int, ids: list[int], written: str) -> Encoded:
    """What the decoder reads: its start token, then the text."""
    try:
        spans = align(model.tokenizer, ids, written)
    except ModelError as error:
        raise ModelError(f"the tokens of the decoder's text {written!r} cannot be placed in it: {error}") from error
    name = str(model.tokenizer.convert_ids_to_tokens(start))
    tokens = (TokenSpan(name, 0, 0, True), *(TokenSpan(written[s:e], s, e, False) for s, e in spans))
    return Encoded(written, {"input_ids": [start, *ids]}, tokens, group(written, tokens))
