"""The answer with and without some of the text, at once, for whoever takes away one word after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attnscope.errors import InputError
from attnscope.methods.attention.layers import attending_layer
from attnscope.methods.request import Request, in_range
from attnscope.models.architecture import reads_ahead, task_of
from attnscope.models.attention.layout import checked_stack
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.encode import Encoded
from attnscope.models.intervention.knock_out import KnockOut, Site
from attnscope.models.intervention.passes import Passes, Reading
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.kept_prefix import KeptPrefix, keep_prefix
from attnscope.models.perturbation.variants import variant_of
from attnscope.models.perturbation.without_tokens import values_without_tokens
from attnscope.models.targets.next_tokens import NextToken, next_tokens
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.models.targets.resolve import resolve

Span = tuple[int, int]
Edge = tuple[frozenset[int], frozenset[int]]


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

    def answer(
        self,
        removed: Sequence[Span],
        target: str | None,
        heads: Sequence[tuple[int, int]] = (),
        edges: Sequence[tuple[Span, Span]] = (),
    ) -> Said:
        """What the model says without the tokens that touch these characters (start, end); they are left out.

        target: what is asked about; None: of a causal model, what it says of the whole text next; of another, as
        `explain` chooses. heads: (layer, head), whose outputs become zero. edges: (query, key), each the characters of
        a word: in every layer and head this query does not attend to this key, and the rest of its weights grows.

        Raises InputError where nothing is left to read, where the target is about what was removed, or where there is
        no such edge; RangeError for a head that is not there; ModelError where it cannot be taken away faithfully.
        """
        tokens = self._tokens(removed)
        if heads or edges:
            return self._knocked_out(tokens, target, heads, [(self._tokens([q]), self._tokens([k])) for q, k in edges])
        if self.prefix is None:
            return self._target_value(tokens, target)
        table = self.prefix.without(tokens)
        found = tuple(next_tokens(self.model, self.encoded, table))
        if target is not None:
            return replace(self._target_value(tokens, target), tokens=found)
        asked = self._next_of_whole()
        return Said(found, float(table[asked.id]), "log_probability", asked.text)

    def _tokens(self, spans: Sequence[Span]) -> frozenset[int]:
        return frozenset(
            i
            for i, token in enumerate(self.encoded.tokens)
            if not token.special and any(token.start < end and start < token.end for start, end in spans)
        )

    def _next_of_whole(self) -> NextToken:
        assert self.prefix is not None
        of_whole = next_tokens(self.model, self.encoded, self.prefix.whole)
        return next((token for token in of_whole if token.whole), of_whole[0])

    def _knocked_out(
        self, tokens: frozenset[int], target: str | None, heads: Sequence[tuple[int, int]], edges: Sequence[Edge]
    ) -> Said:
        with default_settings():
            found: tuple[NextToken, ...] = ()
            value = 0.0
            if self.prefix is not None:
                prompt, asked = self.prefix.prompt, self._next_of_whole()
                last = len(prompt.inputs["input_ids"]) - 1
                # The last token may be one that is removed: what is left then predicts at its own last one.
                at_end = Readout(prompt.inputs, (last,), (asked.id,), (1,), "log_probability", ahead=1)
                read = passes_without(self.model, at_end, tokens, heads, edges, ranked=True)
                assert read.ranking is not None
                found = tuple(next_tokens(self.model, self.encoded, read.ranking[0]))
                value = float(read.ranking[0, asked.id])
                if target is None:
                    return Said(found, value, "log_probability", asked.text)
            objective = resolve(self.model, self.encoded, Request(target=target).explained())
            value = sum(
                float(passes_without(self.model, readout, tokens, heads, edges).values[0, 0])
                for readout in objective.readouts
            )
        return Said(found, value, objective.quantity, (*objective.answer, target or "")[0])

    def _target_value(self, tokens: frozenset[int], target: str | None) -> Said:
        with default_settings():
            objective = resolve(self.model, self.encoded, Request(target=target).explained())
            value = values_without_tokens(self.model, objective, [tokens], "delete")
        return Said((), float(value[0, 0]), objective.quantity, (*objective.answer, target or "")[0])


def passes_without(
    model: Model,
    readout: Readout,
    removed: frozenset[int],
    heads: Sequence[tuple[int, int]],
    edges: Sequence[Edge],
    *,
    ranked: bool = False,
) -> Reading:
    """One pass over what is left of a readout's text, without these heads and edges. ranked: with what comes next."""
    net = model.model
    left_out = variant_of(model, readout, removed, "delete").readout
    stack = checked_stack(net, None)
    site = Site.of(net, batch_inputs(net, [left_out]), stack)
    assert site.layout is not None  # without attention, Site refuses
    of_layer = site.layout.heads_of(stack)
    chosen: dict[tuple[int, int], None] = {}
    for layer, head in heads:
        number = attending_layer(model, site.layout, stack, layer)
        chosen[number, in_range("head", head, of_layer[number])] = None
    length = len(readout.inputs["input_ids"])
    left = [i for i in range(length) if i not in removed]
    # A start token may have come in front of what is left.
    place = {old: new + len(left_out.inputs["input_ids"]) - len(left) for new, old in enumerate(left)}
    ahead = attends_ahead(model)
    pairs: set[tuple[int, int]] = set()
    for queries, keys in edges:
        there = {(q, k) for q in queries for k in keys if ahead or k <= q}
        if not there:
            raise InputError("a token never attends to those after it: name the later word first")
        pairs |= {(place[q], place[k]) for q, k in there if q in place and k in place}
    knock_out = KnockOut(chosen, dict.fromkeys(of_layer, frozenset(pairs)) if pairs else {})
    at = len(left_out.inputs["input_ids"]) - 1 if ranked else None
    return Passes(site, left_out, at).without([knock_out])


def attends_ahead(model: Model) -> bool:
    """Whether a token attends to those after it."""
    return task_of(model.model) != "causal" or reads_ahead(model.model)


def keep_answer(model: Model, encoded: Encoded) -> Without:
    """What is kept of one pass over the text."""
    return Without(model, encoded, keep_prefix(model, encoded) if task_of(model.model) == "causal" else None)
