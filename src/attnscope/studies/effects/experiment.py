"""What knock-outs of all kinds share: the text and its target, resolved, and where things can be taken away.

An experiment has the passes that the target takes: one, or two where it is a contrast of texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from attnscope.errors import InputError, QueryError
from attnscope.methods.attention.layers import attending_layer
from attnscope.methods.request import in_range
from attnscope.methods.runner import query_positions
from attnscope.models.architecture import task_of
from attnscope.models.attention.layout import checked_stack
from attnscope.models.attention.query_key_batch import query_key_batches, query_key_texts
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.intervention.knock_out import Site
from attnscope.models.intervention.layers import layers_of
from attnscope.models.intervention.passes import Passes
from attnscope.models.loading.load import Model
from attnscope.models.targets.labels import is_regression
from attnscope.models.targets.read_positions import read_positions
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Objective, Target
from attnscope.results.effects.effect import TakenWord
from attnscope.text.inputs import Given, Reading, is_one
from attnscope.text.words import TokenSpan

# What may stand in the place of a head's output.
HOW = ("zero", "mean", "resample")


@dataclass(frozen=True)
class Experiment:
    """A text with its target.

    passes: one for each readout of the target. stack: which attention. queries, keys: whose tokens attend and are
    attended to. prompt: how many tokens the text has before the target's own.
    """

    model: Model
    objective: Objective
    passes: tuple[Passes, ...]
    stack: str
    queries: Encoded
    keys: Encoded
    prompt: int

    @property
    def site(self) -> Site:
        """Where things can be taken away."""
        return self.passes[0].site

    def read_at(self) -> tuple[int, ...]:
        """The positions that the target is read from, among the queries; of an encoder, which is read whole, all."""
        net = self.model.model
        each = (read_positions(net, passes.readout, self.stack) for passes in self.passes)
        return tuple(dict.fromkeys(position for positions in each for position in positions))

    def lengths(self, passes: Passes) -> tuple[int, int]:
        """How many tokens query, and how many are attended to, in a pass."""
        text, decoder = passes.inputs_length, len(passes.readout.decoder)
        if self.stack in ("self", "encoder"):
            return text, text
        # The decoder of a classifier reads the text itself.
        decoder = decoder or text
        return decoder, decoder if self.stack == "decoder" else text

    @property
    def heads(self) -> dict[int, int]:
        """Of each layer that attends, how many heads it has."""
        return {} if self.site.layout is None else self.site.layout.heads_of(self.stack)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each layer of the stack is."""
        layout, count = self.site.layout, len(self.site.layers)
        return ("a layer without attention",) * count if layout is None else layout.kinds_of(self.stack)

    def with_layers(self) -> "Experiment":
        """The same, with its layers known, so that passes can begin at one. Raises ModelError where they are not."""
        layers = layers_of(self.site.net, self.site.inputs, self.stack, self.site.layout)
        passes = tuple(replace(one, site=replace(one.site, layers=layers)) for one in self.passes)
        return replace(self, passes=passes)

    def layer(self, index: object, *, attends: bool = True) -> int:
        """The number of a layer, from 0 on. Raises RangeError for one that is not there, or that does not attend."""
        if attends and self.site.layout is not None:
            return attending_layer(self.model, self.site.layout, self.stack, index)
        return in_range("layer", index, len(self.kinds))

    def head(self, layer: int, index: object) -> int:
        """The number of a head, from 0 on. Raises RangeError."""
        return in_range("head", index, self.heads[layer])

    def word(self, asked: object, side: str = "keys") -> TakenWord:
        """A word or token, by its text or index. Raises QueryError for one that is not there."""
        encoded = self.keys if side == "keys" else self.queries
        if not isinstance(asked, int | str) or isinstance(asked, bool):
            raise QueryError(f"{asked!r} is neither a word of the text nor the index of a token")
        tokens = query_positions(encoded, asked)
        words = [w for w in encoded.words if set(w.tokens) & set(tokens)] if isinstance(asked, str) else []
        shown = encoded.text[words[0].start : words[-1].end] if words else encoded.tokens[tokens[0]].text
        return TakenWord(shown, tokens)

    def values(self, by_pass: Sequence[Tensor]) -> Tensor:
        """(text, target): the values of all passes, which add up."""
        return torch.stack(list(by_pass)).sum(0)


def experiment(
    model: Model,
    text: Given,
    target: Target,
    reading: Reading,
    stack: str | None,
    *,
    attention: bool,
    layers: bool,
) -> Experiment:
    """The text with its target, resolved and ready to run.

    attention: heads or edges are to be taken away. layers: whole layers are, or passes are to begin at one.

    Raises what `encode` and `resolve` raise, and ModelError where nothing can be taken away faithfully.
    """
    (encoded,) = encoded_texts(model, text, reading)
    objective = resolve(model, encoded, target)
    chosen = checked_stack(model.model, stack)
    readouts = objective.readouts
    passes = []
    for i, readout in enumerate(readouts):
        site = Site.of(model.model, batch_inputs(model.model, [readout]), chosen, attention=attention, layers=layers)
        passes.append(Passes(site, readout, ranked_at(model, readout) if i == 0 else None))
    queries = keys = objective.encoded
    if chosen in ("decoder", "cross"):
        queries = _decoder_text(model, encoded, target)
        keys = encoded if chosen == "cross" else queries
    first = readouts[0]
    of_continuation = task_of(model.model) == "causal" and not first.of_text and not first.of_whole
    prompt = min(first.positions) + 1 if of_continuation else len(objective.encoded.tokens)
    return Experiment(model, objective, tuple(passes), chosen, queries, keys, prompt)


def _decoder_text(model: Model, encoded: Encoded, target: Target) -> Encoded:
    """What the decoder reads, as far as its tokens can be placed in it."""
    if task_of(model.model) != "encoder-decoder":  # the text itself, one token later
        start = TokenSpan("", 0, 0, True)
        words = [replace(word, tokens=tuple(i + 1 for i in word.tokens)) for word in encoded.words]
        tokens = (start, *encoded.tokens[:-1])
        return replace(encoded, tokens=tokens, words=tuple(w for w in words if max(w.tokens) < len(tokens)))
    if target.target is None and target.generate is None:
        raise InputError(
            "the decoder reads the text itself here, so its words are no words of an answer: give a target, or "
            'generate=N, or take away the encoder\'s (stack="encoder")'
        )
    texts = query_key_texts(
        model, [encoded], stack="decoder", target=None if target.target is None else str(target.target),
        generate=target.generate,
    )  # fmt: skip
    (batch,) = query_key_batches(texts)
    return batch.queries[0]


def ranked_at(model: Model, readout: Readout) -> int | None:
    """The position whose prediction is ranked: of what comes next, at the mask, or a label; None where none is."""
    task = task_of(model.model)
    if task == "answer" or readout.highest or readout.of_whole:
        return None
    if task == "classifier":
        return None if is_regression(model.model) else 0
    if readout.of_text:
        return len(readout.inputs["input_ids"]) - 1 if task == "causal" else None
    return readout.positions[0]


def with_readouts(passes: Sequence[Passes], readouts: Sequence[Readout], **changes: Any) -> list[Passes]:
    """The same passes that read these instead, such as a text without a word."""
    return [
        replace(one, readout=readout, outputs=[], pools=dict(one.pools), **changes)
        for one, readout in zip(passes, readouts, strict=True)
    ]


@dataclass(frozen=True)
class StandIns:
    """What stands in the place of a head's output: (1 or query, hidden) for a layer, a head and a sample.

    how:   one of HOW. pools: by layer, the heads' outputs on the texts that they are taken from, (token, head, hidden).
    draws: of each sample, for each query, the token whose output is taken.
    """

    how: str
    pools: Mapping[int, Tensor]
    draws: Tensor | None = None

    @property
    def samples(self) -> int:
        """How many."""
        return 1 if self.draws is None else len(self.draws)

    def of(self, layer: int, head: int, sample: int = 0) -> Tensor | None:
        """None: zeros."""
        if self.how == "zero":
            return None
        pool = self.pools[layer][:, head]
        return pool.mean(0, keepdim=True) if self.draws is None else pool[self.draws[sample]]

    def of_layer(self, layer: int, sample: int = 0) -> Tensor:
        """(1 or query, head, hidden): of all heads."""
        pool = self.pools[layer]
        if self.how == "zero":
            return torch.zeros_like(pool[:1])
        return pool.mean(0, keepdim=True) if self.draws is None else pool[self.draws[sample]]


def stand_ins(how: str, pools: Mapping[int, Tensor], queries: int, samples: int, seed: int) -> StandIns:
    """pools: as in StandIns. queries: how many tokens attend in a pass."""
    if how != "resample":
        return StandIns(how, pools)
    count = len(next(iter(pools.values()))) if pools else 1
    draws = torch.randint(count, (samples, queries), generator=torch.Generator().manual_seed(seed))
    return StandIns(how, pools, draws)


def check_references(references: Sequence[Any], how: str) -> None:
    """Raises InputError for other texts where nothing is taken from them, or for one text alone."""
    if is_one(references):
        raise InputError("references are other texts: give a list of them")
    if len(references) and how == "zero":
        raise InputError('references are texts that means and draws are taken from: give how="mean" or "resample" too')


def own_pool(experiment: Experiment, passes: Passes) -> dict[int, Tensor]:
    """Of a pass that ran `record`, by layer, the outputs of the heads on the text before its target."""
    of_text = experiment.stack in ("self", "encoder")
    return {layer: pool[: experiment.prompt] if of_text else pool for layer, pool in passes.pools.items()}


def reference_pool(
    experiment: Experiment, layers: Sequence[int], references: Sequence[Any], reading: Reading
) -> dict[int, Tensor]:
    """By layer, the outputs of the heads on other texts, one after the other: (token, head, hidden).

    Raises InputError for a decoder's heads, whose outputs depend on a text that it writes.
    """
    if experiment.stack in ("decoder", "cross"):
        raise InputError(
            f'references are texts that the encoder reads, and the heads are of stack="{experiment.stack}": leave '
            "references out"
        )
    first, parts = experiment.passes[0], []
    for encoded in encoded_texts(experiment.model, list(references), reading):
        readout = Readout(encoded.inputs, (0,), (0,), (1,), "logit", decoder=first.readout.decoder[:1])
        passes = Passes(first.site, readout)
        passes.record(layers)
        parts.append(passes.pools)
    return {layer: torch.cat([part[layer] for part in parts]) for layer in layers}
