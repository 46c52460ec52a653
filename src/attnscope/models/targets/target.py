"""A target as the user asks for it, and as it is read off a model: plain data."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.generation import checked_count
from attnscope.models.targets.readout import QUANTITIES, Readout


@dataclass(frozen=True)
class Target:
    """What the user asked for.

    target:    a continuation or target text; a label's name or index; the token at a masked position; a part of the
               reply that a chat ends with, as a text or as (start, end) in its characters.
    against:   what it is compared with: the value is target minus against.
    generate:  the model's own greedy continuation of at most so many tokens.
    per_token: each token of the continuation by itself.
    position:  a word of the text or a token's index: where a token classifier or masked model is asked.
    similar_to: the text that the text is compared with, in a model that makes one vector of a text; against is another.
    truncate:  cut these texts where they are too long.
    quantity:  one of QUANTITIES; by default the loss of a text where nothing was asked for, else a log-probability.
    """

    target: str | int | tuple[int, int] | None = None
    against: str | int | None = None
    generate: int | None = None
    per_token: bool = False
    position: int | str | None = None
    quantity: str | None = None
    similar_to: str | None = None
    truncate: bool = False

    def __post_init__(self) -> None:
        if self.similar_to is not None:
            asked = {"target": self.target, "generate": self.generate, "per_token": self.per_token or None}
            asked |= {"position": self.position, "quantity": self.quantity}
            if name := next((name for name, value in asked.items() if value is not None), None):
                raise InputError(f"similar_to is a target by itself, and {name} was given too: leave one out")
            return
        if self.quantity is not None and self.quantity not in QUANTITIES:
            raise InputError(f"quantity={self.quantity!r}: choose from {', '.join(QUANTITIES)}")
        if self.generate is not None:
            checked_count(self.generate)
            if self.target is not None or self.against is not None:
                raise InputError("both a target and generate were given: a generation is its own target, give one")
        if self.against is not None and self.target is None:
            raise InputError(f"against={self.against!r} needs a target that it is compared with: give target too")
        if self.per_token and self.against is not None:
            raise InputError("per_token=True takes the tokens of one target, without against")


@dataclass(frozen=True)
class Objective:
    """A target on one text: what the model reads, and what is read off it.

    encoded:  the text whose tokens are scored: the prompt; with a causal per-token target, prompt and continuation.
    readouts: one pass each, each with the first `len(encoded.tokens)` tokens in the same places; their values add up.
    about:    per-token targets: the text of each target token, and its index in `encoded.tokens` or None.
    explained, quantity: in words; they go into the result.
    fixed:    tokens that the target is about: they cannot be removed.
    answer:   the target as a text, and what it is compared with.
    """

    encoded: Encoded
    readouts: tuple[Readout, ...]
    explained: str
    quantity: str
    about: tuple[tuple[str, int | None], ...] = ()
    fixed: tuple[int, ...] = ()
    answer: tuple[str, ...] = ()

    @property
    def scored(self) -> int:
        """How many tokens are scored."""
        return len(self.encoded.tokens)

    def on_tokens(self, vectors: Tensor) -> Tensor:
        """(target, token of a readout, …) -> (target, scored token, …): zero for tokens that the pass did not read."""
        missing = self.scored - vectors.shape[1]
        if missing > 0:
            return torch.cat([vectors, vectors.new_zeros(len(vectors), missing, *vectors.shape[2:])], 1)
        return vectors[:, : self.scored]


def quantity_of(target: Target, default: str) -> str:
    """What was asked for, or the default."""
    return target.quantity or default


def explained(what: str, quantity: str) -> str:
    """The target in words."""
    return f"{quantity.replace('_', '-')} of {what}"


def written_text(target: object) -> str:
    """The target, if it is a text. Raises InputError."""
    if not isinstance(target, str) or not target:
        raise InputError(f"the target {target!r} is not a text: a language model's target is what it should write")
    return target


def reply_part(target: object) -> str | tuple[int, int] | None:
    """The part of a chat's reply that is the target; None for all of it. Raises InputError."""
    if target is None or isinstance(target, str):
        return target
    if isinstance(target, list | tuple) and len(target) == 2 and all(type(place) is int for place in target):
        return target[0], target[1]
    raise InputError(
        f"target={target!r}: of a chat that ends with a reply, give a text in the reply or (start, end) in its "
        "characters"
    )
