"""A text to evaluate explanations on, with what is known about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from attnscope.errors import InputError
from attnscope.results.plain import label_list, plain_numbers
from attnscope.text.inputs import Message, checked, is_chat


@dataclass(frozen=True)
class Sample:
    """A text to evaluate explanations on.

    text:     the text, or the messages of a chat.
    target:   what is explained: a continuation or a label. None: the label that the model finds likeliest.
    labels:   the possible answers; probabilities are shares among them. By default a classifier's own labels.
    position: a word or token index, for token classifiers and masked models.
    within:   (start, end) in characters, the piece of the text whose words are judged; by default the whole text.
    human:    (start, end, weight) of pieces that people find important; words outside all pieces have weight 0.
    gold:     the right label, for the accuracy.
    similar_to: what is explained is the similarity to this text, of a model that makes one vector of a text.

    >>> review = ats.Sample("A warm film. It is", labels=[" good", " bad"], human=[(2, 6, 1.0)], gold=" good")
    >>> ats.evaluate(model, [review], ["gradient"], ["top_drop"], curves=False).accuracy
    1.0
    """

    text: str | tuple[Message, ...]
    target: str | int | None = None
    labels: tuple[str | int, ...] = ()
    position: str | int | None = None
    within: tuple[int, int] | None = None
    human: tuple[tuple[int, int, float], ...] | None = None
    gold: str | int | None = None
    similar_to: str | None = None

    def __post_init__(self) -> None:
        # Numbers of numpy and torch are the numbers they are, also in the key and in a file.
        for field in fields(self):
            object.__setattr__(self, field.name, plain_numbers(getattr(self, field.name)))
        object.__setattr__(self, "labels", label_list(self.labels))

    @property
    def key(self) -> str:
        """A hash of the sample's content, the same wherever it is in a list."""
        content = asdict(self)
        if self.similar_to is None:  # as before there were such samples: rows of earlier runs go on
            del content["similar_to"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def of(cls, given: Any, source: str) -> Self:
        """A Sample from a text, or from a mapping with these fields. Raises InputError, naming `source`."""
        if isinstance(given, str):
            return cls(given)
        if is_chat(given):
            return cls(checked(given))
        if isinstance(given, Mapping) and is_chat(given.get("messages")) and "text" not in given:
            given = {name: value for name, value in given.items() if name != "messages"} | {
                "text": checked(given["messages"])
            }
        if not isinstance(given, Mapping) or not isinstance(given.get("text"), str | tuple):
            raise InputError(
                f'{source} is not a sample: expected a text, or {{"text": "…", …}}, or {{"messages": […]}}'
            )
        if unknown := [name for name in given if name not in cls.__annotations__]:
            raise InputError(f"{source} has {unknown[0]!r}: a sample takes {', '.join(cls.__annotations__)}")
        try:
            return cls(
                **{
                    **given,
                    "labels": () if given.get("labels") is None else given["labels"],
                    "within": None if given.get("within") is None else _span(*given["within"]),
                    "human": None
                    if given.get("human") is None
                    else tuple((*_span(start, end), float(weight)) for start, end, weight in given["human"]),
                }
            )
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{source}: within is [start, end] and human is [[start, end, weight], …], in characters ({error})"
            ) from error


def _span(start: int, end: int) -> tuple[int, int]:
    return int(start), int(end)
