"""What every attention method is asked in the same words: texts, which attention, which queries. And its results."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, TypeVar

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError, QueryError, RangeError, TextError
from attnscope.methods.build import attribution
from attnscope.methods.cost import foresee
from attnscope.models.attention.capture import layout
from attnscope.models.attention.query_key_batch import Sides, sides
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model, load
from attnscope.results.attribution import Attribution
from attnscope.results.base import Asked, Measured
from attnscope.text.words import find_words

# One query: a token's index, a word, or None for the mean over all tokens that are not special.
Query = int | str | None
Queries = Query | Sequence[int | str]
T = TypeVar("T")


class Looking(TypedDict, total=False):
    """The parameters that every attention method takes beside its own.

    kind:     of an encoder–decoder: "encoder" (the default), "decoder" or "cross".
    target:   a text that follows, or that the decoder reads. generate: the model's own, of at most so many tokens.
    chat:     the text is a user's message in the model's chat template.
    truncate: cut a text that is longer than the model's positions instead of refusing it.
    """

    kind: str | None
    target: str | None
    generate: int | None
    chat: bool
    truncate: bool


# (batch of texts, query weights (batch, mix, query)) -> scores (batch, mix, key) and what was asked for them
Score = Callable[[Sides, Tensor], tuple[Tensor, Asked]]


def looked(
    model: Model,
    text: str | Sequence[str],
    query: Queries,
    score: Score,
    *,
    family: str,
    method: str,
    mass: bool,
    looking: Looking,
    one_text_at_a_time: bool = False,
) -> Any:
    """The results of an attention method: one; a list over queries where several were asked; a list over texts.

    mass: whether a token's score is a share, so that what special tokens took has a meaning.
    """
    model = load(model)
    options = {"budget": 1} if one_text_at_a_time else {}
    several = isinstance(query, Sequence) and not isinstance(query, str)
    asked: list[Query] = list(query) if isinstance(query, Sequence) and not isinstance(query, str) else [query]
    if not asked:
        raise QueryError("the list of queries is empty: give at least one word or token index, or None for the mean")
    results: dict[int, Any] = {}
    for batch in sides(model, text, **looking, **options, before_generation=foresee_generation(model)):
        foresee(model, method, max(len(encoded.tokens) for encoded in batch.keys))
        places = [[query_positions(encoded, one) for one in asked] for encoded in batch.queries]
        weights = torch.zeros(len(places), len(asked), max(len(e.tokens) for e in batch.queries))
        for i, of_text in enumerate(places):
            for j, positions in enumerate(of_text):
                weights[i, j, positions] = 1 / len(positions)
        scores, told = score(batch, weights)
        told = replace(told, stack=batch.kind, chat=looking.get("chat", False), truncate=looking.get("truncate", False))
        for i, member in enumerate(batch.members):
            made = [
                _result(batch, i, replace(told, query=asked[j]), places[i][j], scores[i, j], family, method, mass)
                for j in range(len(asked))
            ]
            results[member] = made if several else made[0]
    ordered = [results[i] for i in range(len(results))]
    return ordered[0] if isinstance(text, str) else ordered


def foresee_generation(model: Model) -> Callable[[int, int], None]:
    """Says what generating takes, given the numbers of tokens that there are and that are to come."""
    return lambda tokens, generated: foresee(model, "generate", tokens, generated)


def _result(
    batch: Sides,
    i: int,
    asked: Asked,
    positions: list[int],
    scores: Tensor,
    family: str,
    method: str,
    mass: bool,
) -> Attribution:
    encoded = batch.keys[i]
    tokens = scores[: len(encoded.tokens)].double().numpy()
    in_words = [token for word in encoded.words for token in word.tokens]
    across = batch.kind == "cross"  # the query's tokens are not those of the picture
    measured = Measured(
        excluded_mass=max(0.0, float(tokens.sum() - tokens[in_words].sum())) if mass else None,
        query_tokens=None if across or asked.query is None else tuple(positions),
        query_text=batch.queries[i].text if across else None,
        continued_at=batch.prompts[i],
    )
    return attribution(
        batch.model,
        encoded,
        method=method,
        family=family,
        asked=asked,
        measured=measured,
        token_scores=tokens,
        word_scores=[float(tokens[list(word.tokens)].sum()) for word in encoded.words],
    )


def query_positions(encoded: Encoded, query: Query) -> list[int]:
    """The tokens of a query. Raises QueryError for one that the text does not have."""
    count = len(encoded.tokens)
    if query is None:
        positions = [i for i, token in enumerate(encoded.tokens) if not token.special]
        if not positions:
            raise TextError("the text has no token that is not special, so there is nothing to show")
        return positions
    if isinstance(query, str):
        found = find_words(encoded.text, encoded.words, query)
        return [token for word in found for token in encoded.words[word].tokens]
    if not isinstance(query, int) or isinstance(query, bool):
        raise QueryError(f"the query {query!r} is neither a word nor the index of a token")
    if not -count <= query < count:
        raise QueryError(f"the query token {query} is out of range: the text has the tokens 0 to {count - 1}")
    return [query % count]


def in_range(what: str, index: object, count: int, words: str = "") -> int:
    """The index from 0 on. Raises RangeError, saying the range, for one that there is not."""
    if not isinstance(index, int) or isinstance(index, bool):
        raise RangeError(
            f"the {what} {index!r} is neither a number nor {words}" if words else f"the {what} {index!r} is no number"
        )
    if not -count <= index < count:
        raise RangeError(f"the {what} {index} is out of range: the model has the {what}s 0 to {count - 1}")
    return index % count


def heads_of(batch: Sides) -> list[int]:
    """The number of heads of each layer of the attention that is looked at."""
    return layout(batch.model.model, batch.inputs, batch.kind).heads_of(batch.kind)


def checked_over(over: str, choices: Sequence[str] = ("mean", "max", "min")) -> str:
    """How heads are put together. Raises InputError for a way that there is not."""
    if over not in choices:
        raise InputError(f"heads={over!r}: choose from {', '.join(choices)}")
    return over


def one_stack(batch: Sides, method: str) -> None:
    """Raises ModelError where attention does not lead from a text back to itself, layer by layer."""
    if batch.kind == "cross":
        raise ModelError(
            f"{method} follows attention from layer to layer within one text; cross-attention goes from one text to "
            'another: choose kind="encoder" or "decoder", or method="attention"'
        )
