"""What is cited: the prompt with its sources, the answer with its statements, and its value without some tokens."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError, ModelError, NonFiniteError, TextTooLongError
from attnscope.methods.units import Segments, units_of
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.slow_offsets import align
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.without_tokens import TextWithout
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Objective, Target
from attnscope.models.typed import decoded
from attnscope.results.citation.citation import Source
from attnscope.results.plain import plain_lists
from attnscope.studies.citation.prompt import CHAT, PLAIN, Passage, blocks, filled, named
from attnscope.text.inputs import Messages, Reading, is_chat
from attnscope.text.segments import Span, sentences
from attnscope.text.words import TokenSpan

Tokens = frozenset[int]


@dataclass(frozen=True)
class Part:
    """A source with its tokens, and its characters in the prompt's text."""

    source: Source
    span: Span
    tokens: Tokens


@dataclass
class Setup:
    """One question, ready to run.

    statements: (start, end) of each in the answer; token_statement: of each token of the answer, its statement.
    texts: the answer's tokens' values without some tokens of the prompt; known: those of the statements, once asked.
    asked: without which tokens they were asked, the whole text among them. other_passes: those for something else.
    """

    model: Model
    objective: Objective
    question: str
    answer: str
    statements: list[Span]
    token_statement: list[int]
    parts: list[Part]
    texts: TextWithout
    known: dict[Tokens, NDArray[np.float64]] = field(default_factory=dict)
    asked: set[Tokens] = field(default_factory=set)
    other_passes: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def passes(self) -> int:
        """How many passes what was asked takes: one for each set of tokens, however often it is asked."""
        return len(self.asked) + self.other_passes

    def counted_alone(self) -> "Setup":
        """The same question, of which nothing has been asked: what is known stays known, and its passes count anew."""
        return replace(self, asked=set(), other_passes=0, options={})

    def values_without(self, removed: Sequence[Tokens]) -> NDArray[np.float64]:
        """(set, statement) The statements' log-probabilities without the tokens of each set; they add up to the
        answer's. Raises NonFiniteError where one is minus infinity."""
        # The whole text always runs, for what comes before the first change.
        self.asked |= {frozenset(), *removed}
        if new := [tokens for tokens in dict.fromkeys(removed) if tokens not in self.known]:
            by_token = self.texts.values(new).numpy()
            if not np.isfinite(by_token).all():
                raise NonFiniteError(
                    f"the model rules the answer {self.answer[:40]!r} out, with all sources or without some: its "
                    "log-probability is minus infinity, so that nothing can be compared with it; give another answer"
                )
            by_statement = np.zeros((len(new), len(self.statements)))
            for token, statement in enumerate(self.token_statement):
                by_statement[:, statement] += by_token[:, token]
            self.known |= zip(new, by_statement, strict=True)
        return np.stack([self.known[tokens] for tokens in removed])

    def tokens(self, sources: Iterable[int]) -> Tokens:
        """The tokens of some sources, by their indices."""
        return frozenset[int]().union(*(self.parts[i].tokens for i in sources))

    @property
    def encoded(self) -> Encoded:
        """What the tokens of the parts are counted in."""
        return self.objective.encoded


def setup(
    model: Model,
    question: str | Messages,
    passages: Sequence[Passage] | None,
    answer: str | None,
    *,
    generate: int,
    template: str | None,
    segments: Segments,
    unit: str | None,
    within: str | Sequence[int] | None,
    tools: Any = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
) -> Setup:
    """Read question, passages and answer. Raises InputError where they cannot be used, TextTooLongError where they are
    more than the model takes."""
    of_passages = passages is not None
    chat = bool(getattr(model.tokenizer, "chat_template", None))
    reading: Any = question
    if of_passages:
        if is_chat(question):
            raise InputError(
                "a chat and passages were given: of a chat the turns are the sources, so leave passages out"
            )
        if segments is not None or unit is not None or within is not None:
            raise InputError("passages are the sources, and segments, unit or within was given too: leave these out")
        if not isinstance(question, str):
            raise InputError(f"the question is of type {type(question).__name__}: give a str")
        sources = named(plain_lists(passages))
        used = (CHAT if chat else PLAIN) if template is None else template
        text = filled(used, question, sources)
        reading = [{"role": "user", "content": text}] if chat else text
    elif template is not None:
        raise InputError("template says where passages go, and there are none: leave it out, or give passages")
    count = f"{len(passages)} passages" if passages is not None else "the chat" if is_chat(question) else "the text"
    try:
        read = Reading(tools=tools, chat_template_kwargs=chat_template_kwargs)
        (encoded,) = encoded_texts(model, [reading], read)
        objective = resolve(model, encoded, _target(encoded, answer, generate, spaced=of_passages and not chat))
    except TextTooLongError as error:
        what = str(error).partition(":")[0]
        raise TextTooLongError(
            f"{count} with the question and the answer are too long ({what}): give fewer or shorter ones, or a model "
            "with more positions"
        ) from error
    tokens, said = _answer_tokens(model, objective)
    statements = sentences(said) or [(0, len(said))]
    owners = [max(0, bisect_right([start for start, _ in statements], _solid(token)) - 1) for token in tokens]
    first = next((index for _, index in objective.about if index is not None), len(objective.encoded.tokens))
    if of_passages:
        places = blocks(used, str(question), sources, objective.encoded.text)
        spans = _tokens_by_start(objective.encoded, places, first)
        parts = [
            Part(Source(one.name, one.text, one.title), place, own)
            for one, place, own in zip(sources, places, spans, strict=True)
        ]
    else:
        parts = _units(objective.encoded, segments, unit, within, first, is_chat(question))
    if any(not part.tokens for part in parts):
        empty = next(part.source.name for part in parts if not part.tokens)
        raise InputError(f"the source {empty!r} has no tokens of its own: leave it out")
    asked = question if isinstance(question, str) else _last_said(question)
    return Setup(model, objective, asked, said, statements, owners, parts, TextWithout(model, objective, "delete"))


def asked_of(
    model: Model, asked: Mapping[str, Any], number: int, *, generate: int, template: str | None = None
) -> Setup:
    """A question of a list, {"question": …, "passages": […], "answer": …}. Raises InputError, naming the question."""
    if not isinstance(asked, Mapping) or not {"question", "passages"} <= asked.keys():
        raise InputError(
            f'question {number} of the list is none: give {{"question": "…", "passages": […], "answer": "…"}}'
        )
    return setup(
        model, asked["question"], asked["passages"], asked.get("answer"), generate=generate, template=template,
        segments=None, unit=None, within=None,
    )  # fmt: skip


def _target(encoded: Encoded, answer: str | None, generate: int, *, spaced: bool) -> Target:
    if answer is None:
        return Target(per_token=True) if encoded.replies else Target(generate=generate, per_token=True)
    if not isinstance(answer, str) or not answer.strip():
        raise InputError("the answer is empty: give a text, or leave it out to have the model answer")
    # After "Answer:" comes a space, which belongs to the answer's first token.
    return Target(target=f" {answer}" if spaced and not answer[0].isspace() else answer, per_token=True)


def _answer_tokens(model: Model, objective: Objective) -> tuple[list[TokenSpan], str]:
    """The answer's tokens, with places in it, and its text."""
    indices = [index for _, index in objective.about]
    if not is_encoder_decoder(model.model):
        tokens = [objective.encoded.tokens[i] for i in indices if i is not None]
        start = min(token.start for token in tokens)
        return [TokenSpan(t.text, t.start - start, t.end - start, t.special) for t in tokens], objective.encoded.text[
            start:
        ]
    special = set(model.tokenizer.all_special_ids)
    ids = list(objective.readouts[0].ids)
    text = decoded(model.tokenizer, ids, skip_special_tokens=True)
    try:
        spans = iter(align(model.tokenizer, [i for i in ids if i not in special], text))
    except ModelError:
        return [TokenSpan("", 0, 0, False) for _ in ids], text  # one statement
    placed: list[TokenSpan] = []
    for i in ids:
        start, end = (placed[-1].end if placed else 0,) * 2 if i in special else next(spans)
        placed.append(TokenSpan(text[start:end], start, end, i in special))
    return placed, text


def _solid(token: TokenSpan) -> int:
    """Where a token has its first character that is no space: the space before a word belongs to the word."""
    return token.start + len(token.text) - len(token.text.lstrip()) if token.text.strip() else token.start


def _tokens_by_start(encoded: Encoded, places: Sequence[Span], first: int) -> list[Tokens]:
    """The tokens of each place, from where it starts to where it ends; places are in order and disjoint."""
    starts = [start for start, _ in places]
    own: list[set[int]] = [set() for _ in places]
    for index, token in enumerate(encoded.tokens[:first]):
        if token.start < token.end:
            place = bisect_right(starts, _solid(token)) - 1
            if place >= 0 and _solid(token) < places[place][1]:
                own[place].add(index)
    return [frozenset(tokens) for tokens in own]


def _units(
    encoded: Encoded,
    segments: Segments,
    unit: str | None,
    within: str | Sequence[int] | None,
    first: int,
    chat: bool,
) -> list[Part]:
    """The units before the answer as sources: turns of a chat unless something else was asked."""
    if segments is None and unit is None and within is None:
        segments = "turns" if chat else "paragraphs"
    if isinstance(within, str) and segments is None and chat:
        segments = "turns"
    if within is not None and unit is None:
        unit = "sentence"
    before = _before(encoded, first)
    units = units_of(before, unit, segments, within)
    names = units.names or tuple(str(i + 1) for i in range(len(units)))
    found = [
        Part(Source(name, before.text[span.start : span.end]), (span.start, span.end), frozenset(span.tokens))
        for name, span in zip(names, units.spans, strict=True)
    ]
    if not found:
        raise InputError("nothing before the answer can be a source: give passages, a longer chat, or segments")
    return found


def _before(encoded: Encoded, first: int) -> Encoded:
    """The prompt alone, without the answer, which begins with the token `first`."""
    if first >= len(encoded.tokens):
        return encoded
    end = encoded.tokens[first].start
    return replace(
        encoded,
        text=encoded.text[:end],
        tokens=encoded.tokens[:first],
        words=tuple(word for word in encoded.words if max(word.tokens) < first),
        turns={name: (start, min(stop, end)) for name, (start, stop) in encoded.turns.items() if start < end},
    )


def parts_of(setup: Setup, part: Part, index: int) -> list[Part]:
    """The sentences of a source, or the words of a sentence; none where it has only one of them.

    index: the source's own. Every token of the source is in one of its sentences; white space is in none of the words.
    """
    encoded = setup.encoded
    start = part.span[0] + encoded.text[part.span[0] : part.span[1]].find(part.source.text)
    end = start + len(part.source.text)
    level = "sentence" if part.source.level == "source" else "word"
    if level == "sentence":
        places = [(a + start, b + start) for a, b in sentences(part.source.text)]
        edges = [*(a for a, _ in places), max(end, part.span[1])]
        spans = list(pairwise(edges))
        own = _tokens_by_start(encoded, spans, max(part.tokens) + 1)
        own = [tokens & part.tokens for tokens in own]
    else:
        words = [word for word in encoded.words if set(word.tokens) <= part.tokens]
        places = [(word.start, word.end) for word in words]
        own = [frozenset(word.tokens) for word in words]
    found = [
        Part(
            Source(
                f"{part.source.name}.{number}", encoded.text[a:b], level=level, parent=index,
                start=a - start,
            ),
            (a, b),
            tokens,
        )
        for number, ((a, b), tokens) in enumerate(zip(places, own, strict=True), 1)
        if tokens and encoded.text[a:b].strip()
    ]  # fmt: skip
    return found if len(found) > 1 else []


def _last_said(messages: Messages) -> str:
    """The last message of a chat before the answer."""
    said = [message for message in messages if message.get("role") != "assistant"]
    content = (said or list(messages))[-1].get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
