"""Similarity to another text as what is explained, of models that make one vector of a text."""

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError, TextTooLongError
from attnscope.models.architecture import check_chance
from attnscope.models.inputs.batching import encoded_texts, tensors
from attnscope.models.inputs.encode import Encoded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.pooling import Pooling
from attnscope.models.targets.readout import Likeness, Readout
from attnscope.models.targets.target import Objective, Target
from attnscope.text.inputs import Reading


def similar(model: Model, encoded: Encoded, target: Target) -> Objective:
    """The similarity of the text to another: a cosine, or whatever the model compares by; with `against`, less that to
    a third text.

    The other texts are read once, as they are, and stay what they are while the text is changed. Raises InputError for
    a chat, ModelError for a model whose pooling is not known, TextTooLongError.
    """
    pooling = pooling_of(model)
    check_chance(model.model)
    others: dict[str, str] = {}
    for name, other in (("similar_to", target.similar_to), ("against", target.against)):
        if isinstance(other, str):
            others[name] = other
        elif other is not None:
            raise InputError(f"{name} is of type {type(other).__name__}: give the other text as a str")
    if encoded.chat is not None:
        raise InputError("similar_to compares plain texts, and a chat was given: give one text")
    check_length(pooling, encoded, "the text")
    read = [read_text(model, other, target.truncate, name) for name, other in others.items()]
    references = torch.cat([vector_of(model, one) for one in read])
    count = len(others)
    likeness = Likeness(pooling, references)
    readout = Readout(
        encoded.inputs, (0,) * count, tuple(range(count)), (1, -1)[:count], pooling.name, likeness=likeness
    )
    what = " minus that to ".join(map(repr, others.values()))
    return Objective(encoded, (readout,), f"{pooling.name} to {what}", pooling.name)


def pooling_of(model: Model) -> Pooling:
    """How the model makes one vector of a text. Raises ModelError where that is not known."""
    if model.pooling is None:
        raise ModelError(
            f"how {type(model.model).__name__} makes one vector of a text is not known: give the SentenceTransformer "
            "itself, or say it with attnscope.Model(model, tokenizer, pooling='mean') or load(name, pooling='mean') "
            "(--pooling mean); 'cls', 'max' and 'last' are others"
        )
    return model.pooling


def read_text(model: Model, text: str, truncate: bool, what: str) -> Encoded:
    """A plain text as the model takes it. Raises what `encode` raises, and TextTooLongError."""
    pooling = pooling_of(model)
    reading = Reading(truncate=truncate, max_tokens=pooling.max_tokens)
    try:
        (encoded,) = encoded_texts(model, text, reading)
    except InputError as error:
        raise type(error)(f"{what}: {error}") from error
    check_length(pooling, encoded, what)
    return encoded


def check_length(pooling: Pooling, encoded: Encoded, what: str) -> None:
    """Raises TextTooLongError for a text of which the model would leave out the end."""
    count = len(encoded.tokens)
    if pooling.max_tokens is not None and count > pooling.max_tokens:
        raise TextTooLongError(
            f"{what} has {count} tokens, and this model makes its vector of the first {pooling.max_tokens} "
            "(max_seq_length): give a shorter text, or cut it with --truncate (truncate=True)"
        )


def vector_of(model: Model, encoded: Encoded) -> Tensor:
    """(1, hidden) The vector of a text, before any normalisation that only the comparison does."""
    with unchanged(model.model), torch.no_grad():
        return pooling_of(model).vectors(model.model, tensors(model.model, encoded.inputs))
