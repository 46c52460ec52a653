"""Text → what the model takes, and where every token stands in the text.

The problems this file solves:

- A token's text is the slice of the source text that its offsets name, never the tokenizer's own spelling.
- Which tokens are special: those the tokenizer adds, its declared special tokens, and chat markers, also where the
  user wrote them out. An [UNK] is not: it stands for the user's word, which the model read as far as it could.
- A text that begins with the tokenizer's BOS, as one rendered by a chat template does, gets no second one.
- A chat template's tokens (system prompt, role names, markers) are input but not text: special, without a place.
- A text too long is refused, or cut so that the encoding fits and no character is halved.
- The tokenizer is left as it was, and never warns.

Tokens that cover no text and are not special exist (SentencePiece's lone ▁, characters that a normaliser deletes):
they have the text "" and belong to no word. A byte-level token of trimmed white space gets its space back.
"""

import re
import warnings
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

from transformers import PreTrainedTokenizerBase

from attnscope.errors import ModelError, TextError, TextTooLongError
from attnscope.models.inputs.fast_offsets import placed
from attnscope.models.inputs.slow_offsets import align
from attnscope.text.words import TokenSpan, WordSpan, graphemes, group

_SURROGATE = re.compile("[\ud800-\udfff]")
_BARRED_MARKER = re.compile(r"<\|[^\s|]+\|>")
_MARKER = re.compile(r"<\S+>|\[\S+\]")
_SENTINEL = "attnscopemessage"


@dataclass(frozen=True)
class Encoded:
    """A text as the model takes it. `tokens[i]` is the place in `text` of `inputs["input_ids"][i]`.

    `text` is the user's text, cut when it was truncated; `inputs` are 1-D lists by the names the model knows. `chat`:
    the text is a user's message, and a reply comes next.
    """

    text: str
    inputs: Mapping[str, list[int]]
    tokens: tuple[TokenSpan, ...]
    words: tuple[WordSpan, ...]
    chat: bool = False


@dataclass(frozen=True, slots=True)
class _Prompt:
    """What is tokenized: `source[start:end]` is the user's text from its character `offset` on."""

    source: str
    start: int
    end: int
    offset: int


def encode(
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    *,
    chat: bool = False,
    max_tokens: int | None = None,
    truncate: bool = False,
) -> Encoded:
    """Tokenize `text`, as a user's message if `chat`, with every token's place in it.

    Raises TextError for a text that is empty, not Unicode, or nothing but special tokens; TextTooLongError for one of
    more than `max_tokens` tokens, unless `truncate` cuts it; ModelError where the tokenizer cannot do it.
    """
    _check(text)
    inputs, tokens = _tokenize(tokenizer, text, chat)
    length = len(tokens)
    if max_tokens is not None and length > max_tokens and not truncate:
        raise TextTooLongError(
            f"the text has {length} tokens and at most {max_tokens} are allowed: give a shorter text, cut it with "
            "--truncate (truncate=True), or read all of it in windows with --window (window=512)"
        )
    while max_tokens is not None and len(tokens) > max_tokens:
        text = text[: _cut(text, tokens, max_tokens)]
        if text:
            inputs, tokens = _tokenize(tokenizer, text, chat)
        if not text or not _has_text(tokens):
            raise TextTooLongError(
                f"the text has {length} tokens and at most {max_tokens} are allowed, which leaves no room for text "
                "beside the special tokens: allow more"
            )
    if not _has_text(tokens):
        raise TextError(f"the text {_shown(text)} gives nothing but special tokens: give a text with words")
    return Encoded(text, inputs, tokens, group(text, tokens), chat)


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


def _tokenize(
    tokenizer: PreTrainedTokenizerBase, text: str, chat: bool
) -> tuple[dict[str, list[int]], tuple[TokenSpan, ...]]:
    prompt = _chat_prompt(tokenizer, text) if chat else _Prompt(text, 0, len(text), 0)
    read = _read_fast if tokenizer.is_fast else _read_slow
    # A template writes the special tokens itself.
    inputs, spans, added = _with_one_bos(tokenizer, read(tokenizer, prompt.source, add_special_tokens=not chat))
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
        # From the prompt to the user's text: what covers none of it is the template's.
        start, end = max(start, prompt.start), min(end, prompt.end)
        outside = chat and (start > end or (start == end and not prompt.start < start < prompt.end))
        unknown_word = identity == tokenizer.unk_token_id and written not in ("", name)
        special = is_added or outside or (identity in control and not unknown_word)
        if start < end:
            start, end = (position - prompt.start + prompt.offset for position in (start, end))
            tokens.append(TokenSpan(text[start:end], start, end, special))
        else:
            tokens.append(TokenSpan((written or name) if special else "", 0, 0, special))
    return inputs, _placed(tokens, len(text))


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
    with _unchanged(tokenizer):
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


@contextmanager
def _unchanged(tokenizer: PreTrainedTokenizerBase) -> Iterator[None]:
    """transformers switches off the backend's own truncation and padding for a call, and leaves them off."""
    backend = tokenizer.backend_tokenizer
    truncation, padding, split = backend.truncation, backend.padding, backend.encode_special_tokens
    try:
        yield
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)
        backend.encode_special_tokens = split


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


def _chat_prompt(tokenizer: PreTrainedTokenizerBase, text: str) -> _Prompt:
    """The text as a user's message, and where it is: what the template writes around any other message is not it."""
    before, *others = _rendered(tokenizer, _SENTINEL).split(_SENTINEL)
    source = _rendered(tokenizer, text)
    if len(others) == 1 and source.startswith(before) and source.endswith(others[0]):
        start, end = len(before), len(source) - len(others[0])
        message = source[start:end]
        # A template may strip the message, nothing else.
        if message.strip() == text.strip() and message in text:
            return _Prompt(source, start, end, text.index(message) if message.strip() else 0)
    raise ModelError("the model's chat template changes the message or repeats it: leave out --chat (chat=False)")


def _rendered(tokenizer: PreTrainedTokenizerBase, message: str) -> str:
    if not tokenizer.chat_template:
        raise ModelError("the model has no chat template: leave out --chat (chat=False), or give a chat model")
    try:
        rendered = tokenizer.apply_chat_template(
            [{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True
        )
    except Exception as error:  # A template is a program of the model's author: anything may come out of it.
        raise ModelError(
            f"the model's chat template failed ({type(error).__name__}: {' '.join(str(error).split())}): leave out "
            "--chat (chat=False)"
        ) from error
    return str(rendered)


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
