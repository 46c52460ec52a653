"""A text, a pair of texts or a chat → what the model takes, and where every token stands in the text.

The problems this file solves:

- A token's text is the slice of the source text that its offsets name, never the tokenizer's own spelling.
- Which tokens are special: those the tokenizer adds, its declared special tokens, and chat markers, also where the
  user wrote them out. An [UNK] is not: it stands for the user's word, which the model read as far as it could.
- A text that begins with the tokenizer's BOS, as one rendered by a chat template does, gets no second one.
- A chat's text is what the model reads of its messages, one after the other. A chat template's tokens (its own system
  prompt, role names, markers) are input but not text: special, without a place.
- A text too long is refused, or cut so that the encoding fits and no character is halved.
- The tokenizer is left as it was, and never warns.

Tokens that cover no text and are not special exist (SentencePiece's lone ▁, characters that a normaliser deletes):
they have the text "" and belong to no word. A byte-level token of trimmed white space gets its space back.
"""

import re
import warnings
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from transformers import PreTrainedTokenizerBase

from attnscope.errors import ModelError, TextError, TextTooLongError
from attnscope.models.inputs.fast_offsets import placed
from attnscope.models.inputs.pair import read_pair
from attnscope.models.inputs.prompt import Prompt, chat_prompt, shortened
from attnscope.models.inputs.rendered_text import turns_of_text
from attnscope.models.inputs.slow_offsets import align
from attnscope.models.typed import tokenizer_unchanged
from attnscope.text.inputs import Chat, Input, Pair
from attnscope.text.words import TokenSpan, WordSpan, graphemes, group

_SURROGATE = re.compile("[\ud800-\udfff]")
_BARRED_MARKER = re.compile(r"<\|[^\s|]+\|>")
_MARKER = re.compile(r"<\S+>|\[\S+\]")


@dataclass(frozen=True)
class Encoded:
    """A text as the model takes it. `tokens[i]` is the place in `text` of `inputs["input_ids"][i]`.

    `text` is the user's text, cut when it was truncated; `inputs` are 1-D lists by the names the model knows. `turns`:
    where each turn of a chat, or each text of a pair, stands in the text. `chat`: how a chat was rendered, and
    `starts`: where each token begins in the rendering; None and empty for a plain text. `pair`: it, if it is one.
    """

    text: str
    inputs: Mapping[str, list[int]]
    tokens: tuple[TokenSpan, ...]
    words: tuple[WordSpan, ...]
    turns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    chat: Prompt | None = None
    starts: tuple[int, ...] = ()
    pair: Pair | None = None

    @property
    def source(self) -> str:
        """What was tokenized: the text, or the chat as its template writes it."""
        return self.text if self.chat is None else self.chat.source

    @property
    def replies(self) -> bool:
        """Whether this is a chat that ends with a reply, which is what is explained unless a target says otherwise."""
        return self.chat is not None and self.chat.reply is not None


def encode(
    tokenizer: PreTrainedTokenizerBase,
    given: Input,
    *,
    max_tokens: int | None = None,
    truncate: bool = False,
) -> Encoded:
    """Tokenize a text, a pair or a chat, with every token's place in it.

    Raises TextError for a text that is empty, not Unicode, or nothing but special tokens; TextTooLongError for one of
    more than `max_tokens` tokens, unless `truncate` cuts it (of a chat its longest message); ModelError where the
    tokenizer or the chat template cannot do it.
    """
    prompt = _prompt(tokenizer, given)
    inputs, tokens, starts = tokenized(tokenizer, prompt)
    length = len(tokens)
    if max_tokens is not None and length > max_tokens and not truncate:
        raise TextTooLongError(
            f"the text has {length} tokens and at most {max_tokens} are allowed: give a shorter text, cut it with "
            "--truncate (truncate=True), or read all of it in windows with --window (window=512)"
        )
    while max_tokens is not None and len(tokens) > max_tokens:
        shorter = _shorter(given, prompt, tokens, max_tokens)
        if shorter is not None:
            given, prompt = shorter, _prompt(tokenizer, shorter)
            inputs, tokens, starts = tokenized(tokenizer, prompt)
        if shorter is None or not _has_text(tokens):
            raise TextTooLongError(
                f"the text has {length} tokens and at most {max_tokens} are allowed, which leaves no room for text "
                "beside the special tokens: allow more"
            )
    if not _has_text(tokens):
        raise TextError(f"the text {_shown(prompt.text)} gives nothing but special tokens: give a text with words")
    return _encoded(tokenizer, prompt, inputs, tokens, starts)


def until(tokenizer: PreTrainedTokenizerBase, encoded: Encoded, end: int) -> Encoded:
    """A chat that stops where its source has the character `end`: what comes next continues it there."""
    assert encoded.chat is not None
    prompt = encoded.chat.until(end)
    return _encoded(tokenizer, prompt, *tokenized(tokenizer, prompt))


def _encoded(
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    inputs: Mapping[str, list[int]],
    tokens: tuple[TokenSpan, ...],
    starts: tuple[int, ...],
) -> Encoded:
    words = group(prompt.text, tokens)
    if prompt.pair is not None:
        return Encoded(prompt.text, inputs, tokens, words, prompt.pair.parts, pair=prompt.pair)
    if prompt.chat is None:
        return Encoded(prompt.text, inputs, tokens, words, turns_of_text(tokenizer, prompt.text, tokens))
    return Encoded(prompt.text, inputs, tokens, words, prompt.turns, prompt, starts)


def _prompt(tokenizer: PreTrainedTokenizerBase, given: Input) -> Prompt:
    if isinstance(given, Pair):
        _check(given.text)
        _check(given.text_pair)
        return Prompt.of_pair(given)
    if not isinstance(given, Chat):
        _check(given)
        return Prompt.of_text(given)
    if given.text is not None:
        _check(given.text)
    prompt = chat_prompt(tokenizer, given)
    _check(prompt.text)
    return prompt


def _shorter(given: Input, prompt: Prompt, tokens: Sequence[TokenSpan], max_tokens: int) -> Input | None:
    """The input cut to about so many tokens; None where nothing of it would be left."""
    if isinstance(given, Chat):
        return shortened(given, prompt, tokens, len(tokens) - max_tokens, _cut)
    if isinstance(given, Pair):
        return _shorter_pair(given, tokens, len(tokens) - max_tokens)
    return given[: _cut(given, tokens, max_tokens)] or None


def _shorter_pair(pair: Pair, tokens: Sequence[TokenSpan], excess: int) -> Pair | None:
    """The pair with the longer text cut by about so many tokens; None where nothing of it would be left."""
    inside: dict[str, list[TokenSpan]] = {
        name: [
            TokenSpan(t.text, t.start - start, t.end - start, t.special)
            for t in tokens
            if start <= t.start < t.end <= end
        ]
        for name, (start, end) in pair.parts.items()
    }
    longer = max(inside, key=lambda name: len(inside[name]))
    text = getattr(pair, longer)
    kept = text[: _cut(text, inside[longer], len(inside[longer]) - excess)]
    return replace(pair, **{longer: kept}) if kept else None


def _check(text: object) -> None:
    if not isinstance(text, str):
        raise TextError(f"the text is of type {type(text).__name__}: give a str")
    if not text:
        raise TextError("the text is empty: give at least one word")
    if surrogate := _SURROGATE.search(text):
        raise TextError(
            f"the text has half a character (a lone surrogate, {surrogate.group()!a}) at position {surrogate.start()}: "
            "decode it with the right encoding"
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _has_text(tokens: Sequence[TokenSpan]) -> bool:
    return any(token.start < token.end and not token.special for token in tokens)


def tokenized(
    tokenizer: PreTrainedTokenizerBase, prompt: Prompt
) -> tuple[dict[str, list[int]], tuple[TokenSpan, ...], tuple[int, ...]]:
    """What the model takes, each token's place in the prompt's text, and where it begins in the prompt's source."""
    if prompt.pair is not None:
        with tokenizer_unchanged(tokenizer):
            inputs, spans, added = read_pair(tokenizer, prompt.pair)
    else:
        read = _read_fast if tokenizer.is_fast else _read_slow
        # A template writes the special tokens itself.
        alone = read(tokenizer, prompt.source, add_special_tokens=not prompt.chat)
        inputs, spans, added = _with_one_bos(tokenizer, alone)
    ids = inputs["input_ids"]
    names = tokenizer.convert_ids_to_tokens(ids)
    control = _control_ids(tokenizer)
    tokens = []
    for identity, name, (start, end), is_added in zip(ids, names, spans, added, strict=True):
        if not 0 <= start <= end <= len(prompt.source):
            raise TextError(
                f"the tokenizer places {name!r} at {start}:{end}, outside of the text of {len(prompt.source)} "
                "characters: its offsets cannot be used"
            )
        written = prompt.source[start:end]
        # What covers nothing of the messages is the template's.
        place = prompt.place(start, end)
        unknown_word = identity == tokenizer.unk_token_id and written not in ("", name)
        special = is_added or place is None or (identity in control and not unknown_word)
        if place is not None and place[0] < place[1]:
            tokens.append(TokenSpan(prompt.text[place[0] : place[1]], *place, special))
        else:
            tokens.append(TokenSpan((written or name) if special else "", 0, 0, special))
    return inputs, _placed(tokens, len(prompt.text)), tuple(start for start, _ in spans)


def _placed(tokens: Sequence[TokenSpan], length: int) -> tuple[TokenSpan, ...]:
    """Tokens without a place stand before the text, after it, or where the token before them ended."""
    with_place = [index for index, token in enumerate(tokens) if token.start < token.end]
    last = with_place[-1] if with_place else len(tokens)
    result: list[TokenSpan] = []
    position = 0
    for index, token in enumerate(tokens):
        if token.start < token.end:
            position = max(position, token.end)
        else:
            place = position if index < last else length
            token = TokenSpan(token.text, place, place, token.special)
        result.append(token)
    return tuple(result)


def _control_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Special tokens by declaration, and added ones that look like a chat template's markers."""
    template = tokenizer.chat_template or ""
    template = template if isinstance(template, str) else "".join(template.values())
    markers = {
        identity
        for identity, token in tokenizer.added_tokens_decoder.items()
        if token.special
        or _BARRED_MARKER.fullmatch(token.content)
        or (_MARKER.fullmatch(token.content) and token.content in template)
    }
    return frozenset(markers | set(tokenizer.all_special_ids))


_Read = tuple[dict[str, list[int]], list[tuple[int, int]], list[bool]]


def _with_one_bos(tokenizer: PreTrainedTokenizerBase, read: _Read) -> _Read:
    """A BOS that the tokenizer puts before one that the text begins with is left out: the model knows one only."""
    inputs, spans, added = read
    if len(added) < 2 or not added[0] or added[1] or inputs["input_ids"][:2] != [tokenizer.bos_token_id] * 2:
        return read
    return {name: values[1:] for name, values in inputs.items()}, spans[1:], added[1:]


def _read_fast(tokenizer: PreTrainedTokenizerBase, source: str, *, add_special_tokens: bool) -> _Read:
    with tokenizer_unchanged(tokenizer):
        encoding = tokenizer(
            source,
            add_special_tokens=add_special_tokens,
            padding=False,
            truncation=False,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            verbose=False,
        )
    inputs = {name: list(values) for name, values in encoding.items()}
    added = [bool(flag) for flag in inputs.pop("special_tokens_mask")]
    spans = [(int(start), int(end)) for start, end in inputs.pop("offset_mapping")]
    return inputs, placed(tokenizer, source, inputs["input_ids"], spans, added), added


def _read_slow(tokenizer: PreTrainedTokenizerBase, source: str, *, add_special_tokens: bool) -> _Read:
    with warnings.catch_warnings():
        # ByT5 warns when the text itself ends with </s>.
        warnings.simplefilter("ignore")
        options = {"padding": False, "truncation": False, "verbose": False}
        encoding = tokenizer(source, add_special_tokens=add_special_tokens, **options)
        bare = list(tokenizer(source, add_special_tokens=False, **options)["input_ids"])
    inputs = {name: list(values) for name, values in encoding.items()}
    ids = inputs["input_ids"]
    first = next((i for i in range(len(ids) - len(bare) + 1) if ids[i : i + len(bare)] == bare), None)
    if first is None:
        raise ModelError(
            f"the tokenizer {type(tokenizer).__name__} reports no offsets and puts special tokens between those of the "
            "text: use the model's fast tokenizer (use_fast=True)"
        )
    after = len(ids) - first - len(bare)
    spans = [(0, 0)] * first + align(tokenizer, bare, source) + [(len(source), len(source))] * after
    return inputs, spans, [True] * first + [False] * len(bare) + [True] * after


def _cut(text: str, tokens: Sequence[TokenSpan], max_tokens: int) -> int:
    """Where to cut so that about `max_tokens` are left: after a token, within no later token and no character."""
    placed = [token for token in tokens if token.start < token.end]
    keep = len(placed) - (len(tokens) - max_tokens)
    ends = [0, *accumulate((token.end for token in placed), max)]
    starts = [*accumulate((token.start for token in reversed(placed)), min)][::-1]
    characters = graphemes(text)
    while keep > 0:
        end = ends[keep]
        if end <= starts[keep] and characters[bisect_left(characters, end)] == end:
            return end
        keep -= 1
    return 0
