"""The answer with and without some of the text, at once, for whoever takes away one word after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attnscope.methods.request import Request
from attnscope.models.architecture import task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.kept_prefix import KeptPrefix, keep_prefix
from attnscope.models.perturbation.without_tokens import values_without_tokens
from attnscope.models.targets.next_tokens import NextToken, next_tokens
from attnscope.models.targets.resolve import resolve

Span = tuple[int, int]


@dataclass(frozen=True)
class Said:
    """What the model answers: the likeliest next tokens, none of a model that does not continue a text.

    value: of what `about` says, a log-probability unless `quantity` says otherwise.
    """

    tokens: tuple[NextToken, ...]
    value: float
    quantity: str
    about: str


@dataclass(frozen=True)
class Without:
    """A text, ready to be asked without some of it. prefix: of a causal model, what is kept of a pass over the text."""

    model: Model
    encoded: Encoded
    prefix: KeptPrefix | None

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return 1_000 if self.prefix is None else self.prefix.bytes

    def answer(self, removed: Sequence[Span], target: str | None) -> Said:
        """What the model says without the tokens that touch these characters (start, end); they are left out.

        target: what is asked about; None: of a causal model, what it says of the whole text next; of another, as
        `explain` chooses. Raises InputError where nothing is left to read, or where the target is about what was
        removed.
        """
        tokens = frozenset(
            i
            for i, token in enumerate(self.encoded.tokens)
            if not token.special and any(token.start < end and start < token.end for start, end in removed)
        )
        if self.prefix is None:
            return self._target_value(tokens, target)
        table = self.prefix.without(tokens)
        found = tuple(next_tokens(self.model, self.encoded, table))
        if target is not None:
            return replace(self._target_value(tokens, target), tokens=found)
        of_whole = next_tokens(self.model, self.encoded, self.prefix.whole)
        asked = next((token for token in of_whole if token.whole), of_whole[0])
        return Said(found, float(table[asked.id]), "log_probability", asked.text)

    def _target_value(self, tokens: frozenset[int], target: str | None) -> Said:
        with default_settings():
            objective = resolve(self.model, self.encoded, Request(target=target).explained())
            value = values_without_tokens(self.model, objective, [tokens], "delete")
        return Said((), float(value[0, 0]), objective.quantity, (*objective.answer, target or "")[0])


def keep_answer(model: Model, encoded: Encoded) -> Without:
    """What is kept of one pass over the text."""
    return Without(model, encoded, keep_prefix(model, encoded) if task_of(model.model) == "causal" else None)
