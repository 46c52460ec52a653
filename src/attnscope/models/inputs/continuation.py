"""What comes after a prompt: a text that was given, or the model's own greedy continuation.

Problems solved here:
- the ids of " positive" after a prompt are those that the tokenizer gives it there, not at the start of a text;
- prompt and continuation are one input of the model and one text with a place for every token, so that whatever is
  measured on the prompt can be measured on both;
- a prompt that a tokenizer closes with its own end token is opened again: nothing can follow an end token.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from attnscope.errors import InputError, ModelError, TextTooLongError
from attnscope.models.architecture import task_of
from attnscope.models.inputs.encode import Encoded, until
from attnscope.models.inputs.generation import checked_count, ends, generated
from attnscope.models.inputs.slow_offsets import align
from attnscope.models.loading.load import Model
from attnscope.models.typed import decoded, text_ids
from attnscope.text.inputs import BETWEEN
from attnscope.text.segments import Span
from attnscope.text.words import TokenSpan, WordSpan, group

_AROUND_CHINESE = re.compile("(?<=[\u2e80-\u9fff\uf900-\ufaff]) +| +(?=[\u2e80-\u9fff\uf900-\ufaff])")


@dataclass(frozen=True)
class Continued:
    """A prompt and what follows it.

    encoded: both as one text and one input. Between a chat and the reply is a blank line; otherwise the continuation
             follows with no space added. No word spans both.
    prompt:  how many of the tokens are the prompt's, the chat template's included.
    ids:     the continuation's tokens, `encoded.inputs["input_ids"][prompt:]`.
    text:    the continuation's text, the end of `encoded.text`.
    before:  the prompt alone.
    """

    encoded: Encoded
    prompt: int
    ids: tuple[int, ...]
    text: str
    before: Encoded


def continued(model: Model, encoded: Encoded, target: str | None = None, generate: int | None = None) -> Continued:
    """`encoded` followed by the text `target`, or by what the model says next: greedily, at most `generate` tokens.

    The model's own continuation stops before its end-of-text token. Raises InputError for an empty or missing
    continuation, ModelError for a model that continues no text, TextTooLongError where both are more than it takes.
    """
    net, tokenizer = model.model, model.tokenizer
    if task_of(net) != "causal":
        raise ModelError(
            f"{type(net).__name__} does not continue a text: a continuation needs a causal language model "
            "(an encoder–decoder takes a target text instead)"
        )
    prompt = opened(tokenizer, encoded)
    if target is not None:
        ids = _ids_after(tokenizer, prompt.source, target)
        text = target
    else:
        checked_count(generate)
        _check_length(model, len(prompt.tokens) + 1)
        ids = generated(model, prompt.inputs, _allowed_count(model, prompt, generate))
        if ids and ids[-1] in ends(model):
            ids = ids[:-1]
        if not ids:
            raise InputError("the model ends the text here, so there is no generation to explain; give a target")
        text = text_after(tokenizer, prompt.inputs["input_ids"], ids)
    _check_length(model, len(prompt.tokens) + len(ids))
    return _joined(tokenizer, prompt, ids, text)


def continued_by(model: Model, encoded: Encoded, ids: Sequence[int]) -> Continued:
    """`encoded` followed by these tokens, which the model has written. Raises TextTooLongError."""
    prompt = opened(model.tokenizer, encoded)
    _check_length(model, len(prompt.tokens) + len(ids))
    return _joined(model.tokenizer, prompt, list(ids), text_after(model.tokenizer, prompt.inputs["input_ids"], ids))


def _allowed_count(model: Model, prompt: Encoded, generate: int | None) -> int:
    limit = model.positions
    count = checked_count(generate)
    return count if limit is None else min(count, limit - len(prompt.tokens))


def _check_length(model: Model, length: int) -> None:
    limit = model.positions
    if limit is not None and length > limit:
        raise TextTooLongError(
            f"the text and its continuation have {length} tokens and the model takes {limit}: give a shorter text"
        )


def opened(tokenizer: PreTrainedTokenizerBase, encoded: Encoded) -> Encoded:
    """The prompt without what closes it: nothing can follow that.

    Some tokenizers put an end token after every text; a chat template closes the reply that a chat ends with.
    """
    if encoded.chat is not None and encoded.chat.reply is not None:
        return until(tokenizer, encoded, encoded.chat.reply[1].end)
    end = (tokenizer.eos_token_id, tokenizer.sep_token_id)
    last = encoded.tokens[-1]
    if encoded.chat or encoded.inputs["input_ids"][-1] not in end or not last.special or last.start < last.end:
        return encoded
    inputs = {name: list(values[:-1]) for name, values in encoded.inputs.items()}
    return Encoded(encoded.text, inputs, encoded.tokens[:-1], encoded.words)


def _ids_after(tokenizer: PreTrainedTokenizerBase, before: str, text: str) -> list[int]:
    """The ids of `text` after `before`; those it has alone where the two would merge into one token."""
    if not isinstance(text, str) or not text:
        raise InputError(f"the target {text!r} is not a text: give what should follow the prompt, such as ' positive'")
    first, both = text_ids(tokenizer, before), text_ids(tokenizer, before + text)
    ids = both[len(first) :] if both[: len(first)] == first else text_ids(tokenizer, text)
    if not ids:
        raise InputError(f"the target {text!r} gives no tokens: give what should follow, such as ' positive'")
    return ids


def text_after(tokenizer: PreTrainedTokenizerBase, before: Sequence[int], ids: Sequence[int]) -> str:
    """What `ids` add to the text; decoders drop the space before a first word, so both are decoded together."""
    first, both = decoded(tokenizer, before), decoded(tokenizer, [*before, *ids])
    text = both[len(first) :] if both.startswith(first) else decoded(tokenizer, ids)
    # BERT's tokenizers part Chinese characters as if they were words; the text has no spaces there.
    closed = _AROUND_CHINESE.sub("", text)
    return closed if closed and text_ids(tokenizer, closed) == list(ids) else text


def _spans(tokenizer: PreTrainedTokenizerBase, prompt: Encoded, ids: Sequence[int], text: str) -> list[Span]:
    """Where each of the ids stands in `text`; read after the last word of the prompt where they go on inside it."""
    try:
        return align(tokenizer, ids, text)
    except ModelError as error:
        word = prompt.words[-1]
        before, head = prompt.inputs["input_ids"][word.tokens[0] :], prompt.text[word.start :]
        try:
            spans = align(tokenizer, [*before, *ids], head + text)[len(before) :]
        except ModelError:
            raise ModelError(
                f"the tokens of the continuation {text!r} do not spell it, so that they cannot be placed in it: let it "
                "begin with a word of its own"
            ) from error
        return [(max(0, start - len(head)), max(0, end - len(head))) for start, end in spans]


def _joined(tokenizer: PreTrainedTokenizerBase, prompt: Encoded, ids: Sequence[int], text: str) -> Continued:
    between = BETWEEN if prompt.chat is not None and prompt.chat.template[-1] else ""
    offset = len(prompt.text) + len(between)
    names = tokenizer.convert_ids_to_tokens(list(ids))
    special = frozenset(tokenizer.all_special_ids)
    spans = _spans(tokenizer, prompt, ids, text)
    tokens = [
        TokenSpan(text[start:end] or (name if identity in special else ""), start, end, identity in special)
        for identity, name, (start, end) in zip(ids, names, spans, strict=True)
    ]
    count = len(prompt.tokens)
    words = [
        WordSpan(word.start + offset, word.end + offset, tuple(i + count for i in word.tokens))
        for word in group(text, tokens)
    ]
    moved = [TokenSpan(t.text, t.start + offset, t.end + offset, t.special) for t in tokens]
    encoded = Encoded(
        prompt.text + between + text,
        {name: [*values, *_continued_input(name, ids)] for name, values in prompt.inputs.items()},
        (*(_within_prompt(t, len(prompt.text)) for t in prompt.tokens), *moved),
        (*prompt.words, *words),
        _turns(prompt, between, offset, len(text)),
        prompt.chat,
        prompt.starts,
    )
    return Continued(encoded, count, tuple(ids), text, prompt)


def _turns(prompt: Encoded, between: str, offset: int, length: int) -> dict[str, tuple[int, int]]:
    """The turns of a chat and its continuation: a turn of its own, or more of the last one."""
    if prompt.chat is None or prompt.chat.chat is None:
        return {}
    turns = dict(prompt.turns)
    name = f"{len(prompt.chat.chat.messages) + 1} assistant"
    if not between and turns:
        name = max(turns, key=lambda turn: turns[turn])
    return {**turns, name: (turns.get(name, (offset, 0))[0], offset + length)}


def _within_prompt(token: TokenSpan, end: int) -> TokenSpan:
    """A token of the prompt keeps its place: what closes a user's message is placed at the message's end."""
    return TokenSpan(token.text, min(token.start, end), min(token.end, end), token.special)


def _continued_input(name: str, ids: Sequence[int]) -> list[int]:
    fill = {"input_ids": list(ids), "attention_mask": [1] * len(ids), "token_type_ids": [0] * len(ids)}
    if name not in fill:
        raise ModelError(f"the tokenizer gives {name!r} besides the ids, and attnscope cannot continue it over a reply")
    return fill[name]
