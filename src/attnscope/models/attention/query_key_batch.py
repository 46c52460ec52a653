"""The texts of an attention: whose tokens query, whose are the keys, and the model's input for both.

A causal or masked model has one text, which may go on with a continuation; an encoder–decoder has two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from attnscope.errors import InputError, ModelError
from attnscope.models.attention.layout import checked_stack
from attnscope.models.inputs.batching import BUDGET, batches, encoded_texts, tensors
from attnscope.models.inputs.continuation import continued
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.generation import checked_count, decoder_text
from attnscope.models.inputs.slow_offsets import align
from attnscope.models.loading.load import Model
from attnscope.text.inputs import Given, Input, Messages, Reading
from attnscope.text.words import TokenSpan, group


@dataclass(frozen=True)
class QueryKeyTexts:
    """What was asked for, checked and encoded; nothing has run yet.

    stack:    "self", or in an encoder–decoder "encoder", "decoder" or "cross".
    target:   what follows the text, or what the decoder reads.
    generate: the model's own greedy continuation instead, of at most so many tokens; None where none is to be made.
    """

    model: Model
    encoded: tuple[Encoded, ...]
    stack: str
    target: str | None
    generate: int | None


@dataclass(frozen=True)
class QueryKeyBatch:
    """A batch of texts side by side, ready to run.

    members: their indices in the list that was given.
    stack:   as in QueryKeyTexts.
    queries, keys: of each text, whose tokens query and whose are the keys; the same unless stack is "cross".
    prompts: of each text, how many characters of it were given; None where all were.
    inputs:  what the model's forward takes, (batch, token).
    """

    model: Model
    members: tuple[int, ...]
    stack: str
    queries: tuple[Encoded, ...]
    keys: tuple[Encoded, ...]
    prompts: tuple[int | None, ...]
    inputs: dict[str, Tensor]


def query_key_texts(
    model: Model,
    given: Given | Sequence[Input | Messages | Encoded],
    *,
    stack: str | None = None,
    target: str | None = None,
    generate: int | None = None,
    reading: Reading | None = None,
) -> QueryKeyTexts:
    """The texts of an attention, checked and encoded. Parameters as in QueryKeyTexts; stack None: "self" or "encoder".

    Raises what `encode` raises, and InputError or ModelError where stack, target and model do not fit.
    """
    chosen = checked_stack(model.model, stack)
    if target is not None and generate is not None:
        raise InputError("both a target and generate were given: a generation is its own target, give one")
    encoded = tuple(encoded_texts(model, given, reading))
    if chosen == "encoder" and (target is not None or generate is not None):
        raise InputError(
            'the encoder reads nothing but the text: choose stack="decoder" or "cross", or leave out target'
        )
    if generate is not None:
        checked_count(generate)
    if chosen in ("decoder", "cross") and target is None and generate is None:
        raise InputError(f'stack="{chosen}" needs a text that the decoder reads: give target="…", or generate=N')
    return QueryKeyTexts(model, encoded, chosen, target, generate)


def query_key_batches(texts: QueryKeyTexts, budget: int = BUDGET) -> Iterator[QueryKeyBatch]:
    """The texts in batches of similar length under a budget of tokens; what is to be generated is generated here.

    Raises what `continued` raises.
    """
    if texts.stack in ("decoder", "cross"):
        yield from _decoder_batches(texts)
        return
    model, encoded = texts.model, list(texts.encoded)
    prompts: dict[int, int] = {}
    if texts.target is not None or texts.generate is not None:
        for i, prompt in enumerate(texts.encoded):
            both = continued(model, prompt, texts.target, texts.generate)
            prompts[i] = len(both.encoded.text) - len(both.text)
            encoded[i] = both.encoded
    for batch in batches(model.model, encoded, budget):
        given = tuple(prompts.get(i) for i in batch.members)
        yield QueryKeyBatch(model, batch.members, texts.stack, batch.encoded, batch.encoded, given, batch.inputs)


def _decoder_batches(texts: QueryKeyTexts) -> Iterator[QueryKeyBatch]:
    """One text at a time, with what the decoder reads."""
    model = texts.model
    for i, source in enumerate(texts.encoded):
        inputs = tensors(model.model, source.inputs)
        read = _decoder_text(texts, source)
        keys = source if texts.stack == "cross" else read
        inputs["decoder_input_ids"] = torch.tensor([read.inputs["input_ids"]], device=inputs["input_ids"].device)
        yield QueryKeyBatch(model, (i,), texts.stack, (read,), (keys,), (None,), inputs)


def _decoder_text(texts: QueryKeyTexts, source: Encoded) -> Encoded:
    """What the decoder reads: what it starts with, then the target or the generation.

    Special tokens that stand in it (BART's <s>, a language code) are part of it, but for a last one that the decoder
    writes and never reads.
    """
    tokenizer = texts.model.tokenizer
    special = set(tokenizer.all_special_ids)
    both = decoder_text(texts.model, source, texts.target, texts.generate)
    if texts.target is not None:
        special.discard(tokenizer.unk_token_id)  # it stands for a part of the text
    ids = [*both.read, *(both.written[-1:] if both.written[-1] not in special else ())]
    of_text = [identity for identity in ids[1:] if identity not in special]
    if not of_text:
        raise InputError("the decoder's text has no tokens but special ones: give a target, or generate more")
    try:
        spans = iter(align(tokenizer, of_text, both.text))
    except ModelError as error:
        raise ModelError(f"the tokens of the decoder's text {both.text!r} cannot be placed in it: {error}") from error
    tokens: list[TokenSpan] = []
    for place, identity in enumerate(ids):
        if place == 0 or identity in special:
            tokens.append(_special(tokenizer, identity, tokens[-1].end if tokens else 0))
        else:
            begin, end = next(spans)
            tokens.append(TokenSpan(both.text[begin:end], begin, end, False))
    return Encoded(both.text, {"input_ids": ids}, tuple(tokens), group(both.text, tokens))


def _special(tokenizer: PreTrainedTokenizerBase, identity: int, place: int) -> TokenSpan:
    return TokenSpan(str(tokenizer.convert_ids_to_tokens(identity)), place, place, True)
