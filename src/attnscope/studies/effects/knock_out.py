"""`ats.knock_out`: a target's value without some heads, edges, layers or words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.models.architecture import reads_ahead, task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.embeddings import baseline_vector
from attnscope.models.intervention.knock_out import KnockOut, Site
from attnscope.models.intervention.passes import Passes
from attnscope.models.intervention.passes import Reading as Read
from attnscope.models.loading.load import Model, load
from attnscope.models.perturbation.variants import Variant, variants_of
from attnscope.models.perturbation.without_tokens import REPLACEMENTS, default_replacement
from attnscope.models.targets.labels import label_name
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.models.targets.target import Target
from attnscope.models.typed import decoded
from attnscope.results.effects.effect import Effect, Ranked, Taken, TakenEdge, TokenEffect
from attnscope.results.plain import listed, plain_numbers
from attnscope.studies.effects.experiment import (
    HOW,
    Experiment,
    StandIns,
    check_references,
    experiment,
    own_pool,
    ranked_at,
    reference_pool,
    stand_ins,
    with_readouts,
)
from attnscope.text.inputs import Messages, Reading, Tools, is_one

# One side of an edge: a word, a token's index, or None for all tokens but the other side's own.
Side = str | int | None


def knock_out(
    model: Model,
    text: str | Messages,
    *,
    target: str | int | tuple[int, int] | None = None,
    against: str | int | None = None,
    generate: int | None = None,
    position: int | str | None = None,
    quantity: Literal["log_probability", "loss", "logit", "probability"] | None = None,
    similar_to: str | None = None,
    heads: Iterable[tuple[int, int]] = (),
    edges: Iterable[tuple[Side, Side]] = (),
    layers: Iterable[int] = (),
    words: Iterable[str | int] = (),
    how: Literal["zero", "mean", "resample"] = "zero",
    edge_layers: Iterable[int] | None = None,
    renormalise: bool = True,
    replacement: str | None = None,
    references: Sequence[Any] = (),
    samples: int = 8,
    seed: int = 0,
    stack: Literal["encoder", "decoder", "cross"] | None = None,
    top: int = 10,
    chat: bool = False,
    truncate: bool = False,
    tools: Tools | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
    text_pair: str | None = None,
) -> Effect:
    """What becomes of a target's value, and of the likeliest next words, without parts of the model or of the text.

    target, against, generate, position, quantity, similar_to: as in `explain`; the value is that of the whole target,
                 and the result has each of its tokens too.
    heads:       pairs (layer, head). Their outputs, the slices of what the output projection gets, become zero
                 (how="zero"), their mean over the tokens of the text before its target ("mean"), or what they are at
                 another of these tokens, drawn `samples` times with `seed` ("resample": the value is the mean of the
                 draws, with its standard error). references: other texts, from which means and draws are taken instead.
    edges:       pairs (query, key), each a word (its first occurrence), a token's index, or None for every token but
                 the other side's own: in `edge_layers` (all) the score of this query for this key is -inf, in every
                 head, and the rest of the weights grows (attention knock-out, Geva et al. 2023, arXiv:2304.14767).
                 renormalise=False: its weight is zero and the rest stays as it is.
    layers:      skipped: what they are given in the residual stream goes on as it is.
    words:       words or tokens that are overwritten by `replacement`: "mask" where the model has such a token, else
                 "mean"; or "zero", "pad", "neutral" or "infill", as in `evaluate`. They keep their places; with
                 "delete" they are left out.
    stack:       of an encoder–decoder, whose heads, edges and layers: "encoder" (the default), "decoder" or "cross".
    top:         how many of the likeliest next words are ranked.

    All of it is taken away at once, at the speed of the model's own fast attention, and the model comes back as it was.
    Layers of linear attention have no heads or edges to take away: skip the whole layer. Effects of several parts do
    not add up, since others may stand in for what is gone.

    Raises InputError where nothing is to be taken away, or where an edge is none that the model has; RangeError,
    QueryError for a layer, head or word that is not there; ModelError for a model in which it cannot be done
    faithfully; and what `explain` raises for the text and its target.

    >>> text = "Paris is the capital of France. Tokyo is the capital of"
    >>> effect = ats.knock_out(model, text, target=" Japan", edges=[(-1, "Tokyo")])
    >>> round(effect.before, 2), round(effect.after, 2)
    (-0.05, -8.41)
    """
    model, text = load(model), plain_numbers(text)
    if not is_one(text):
        raise InputError("knock_out takes one text: call it for each, or use head_effects for a list of texts")
    if how not in HOW:
        raise InputError(f"how={how!r}: choose what stands in a head's place from {', '.join(HOW)}")
    samples, top, seed = plain_numbers(samples), plain_numbers(top), plain_numbers(seed)
    if type(samples) is not int or samples < 1 or type(top) is not int or top < 1:
        raise InputError(f"samples={samples!r}, top={top!r}: give whole numbers above 0")
    heads, edges, layers, words = (
        _listed(name, parts)
        for name, parts in (("heads", heads), ("edges", edges), ("layers", layers), ("words", words))
    )
    if not (heads or edges or layers or words):
        raise InputError("nothing is to be taken away: give heads, edges, layers or words")
    _check_meant(
        heads=(heads, {"how": how != "zero"}),
        edges=(edges, {"edge_layers": edge_layers is not None, "renormalise": not renormalise}),
        words=(words, {"replacement": replacement is not None}),
    )
    check_references(references, how)
    reading = Reading(chat, truncate, tools, chat_template_kwargs, text_pair)
    target, against, generate, position = map(plain_numbers, (target, against, generate, position))
    asked = Target(target, against, generate, False, position, quantity, similar_to, truncate)
    with default_settings():
        of = experiment(model, text, asked, reading, stack, attention=bool(heads or edges), layers=bool(layers))
        taken = Taken(
            heads=tuple(dict.fromkeys(_head(of, head) for head in heads)),
            how=how,
            edges=tuple(dict.fromkeys(_edge(of, edge) for edge in edges)),
            edge_layers=_edge_layers(of, edge_layers) if edges else (),
            renormalise=renormalise,
            layers=tuple(sorted({of.layer(layer, attends=False) for layer in layers})),
            words=tuple(dict.fromkeys(of.word(word) for word in words)),
            replacement=_replacement(model, replacement) if words else None,
            stack=of.stack,
            references=len(references),
            samples=samples if heads and how == "resample" else 1,
        )
        return _effect(of, taken, references, seed, top, reading)


def _listed(name: str, given: Any) -> list[Any]:
    """The parts of one kind; one word alone is one. Raises InputError for what is no list."""
    given = plain_numbers(given)
    if isinstance(given, str | int):
        given = [given]
    if not hasattr(given, "__iter__"):
        raise InputError(f"{name}={given!r}: give a list")
    return listed(given)


def _check_meant(**kinds: tuple[list[Any], Mapping[str, bool]]) -> None:
    """Raises InputError for an option of parts of which none are taken away. kinds: parts, and which options were
    given."""
    for name, (parts, options) in kinds.items():
        if not parts and (asked := [option for option, given in options.items() if given]):
            raise InputError(f"{asked[0]} is about {name}, and none are taken away: give {name}, or leave it out")


def _head(of: Experiment, given: Any) -> tuple[int, int]:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise InputError(f"heads: {given!r} is no pair (layer, head), such as (15, 7)")
    layer = of.layer(given[0])
    return layer, of.head(layer, given[1])


def _edge(of: Experiment, given: Any) -> TakenEdge:
    if not isinstance(given, list | tuple) or len(given) != 2 or list(given) == [None, None]:
        raise InputError(f'edges: {given!r} is no pair (query, key), such as ("him", "John"), of which one may be None')
    query, key = given
    edge = TakenEdge(
        None if query is None else of.word(query, "queries"), None if key is None else of.word(key, "keys")
    )
    if not edges_of(of, of.passes[0], edge):
        raise InputError(
            f"there is no edge from {query!r} to {key!r}: {type(of.model.model).__name__} reads a text from left to "
            "right, and a token never attends to those after it; give the later word first"
        )
    return edge


def edges_of(of: Experiment, passes: Passes, edge: TakenEdge) -> frozenset[tuple[int, int]]:
    """The pairs (query, key) of tokens of an edge in a pass, as far as the model has them."""
    queries, keys = map(range, of.lengths(passes))
    from_them = [q for q in queries if edge.query is None or q in edge.query.tokens]
    to_them = [k for k in keys if edge.key is None or k in edge.key.tokens]
    if edge.query is None and edge.key is not None and of.stack != "cross":
        from_them = [q for q in from_them if q not in edge.key.tokens]
    if edge.key is None and edge.query is not None and of.stack != "cross":
        to_them = [k for k in to_them if k not in edge.query.tokens]
    net = of.model.model
    ahead = of.stack in ("encoder", "cross") or (of.stack == "self" and (task_of(net) != "causal" or reads_ahead(net)))
    return frozenset((q, k) for q in from_them for k in to_them if ahead or k <= q)


def _edge_layers(of: Experiment, given: Iterable[int] | None) -> tuple[int, ...]:
    chosen = list(of.heads) if given is None else [of.layer(layer) for layer in listed(given)]
    if not chosen:
        raise InputError("edge_layers is empty: give layers, or leave it out for all")
    return tuple(sorted(set(chosen)))


def _replacement(model: Model, asked: str | None) -> str:
    chosen = default_replacement(model) if asked is None else asked
    if chosen not in REPLACEMENTS:
        raise InputError(f"replacement={chosen!r}: choose from {', '.join(REPLACEMENTS)}")
    return chosen


def _effect(of: Experiment, taken: Taken, references: Sequence[Any], seed: int, top: int, reading: Reading) -> Effect:
    pooled = sorted({layer for layer, _ in taken.heads}) if taken.how != "zero" else []
    before = [passes.record(pooled) for passes in of.passes]
    pool = reference_pool(of, pooled, references, reading) if pooled and references else None
    after = []
    for passes, changed in zip(of.passes, _without_words(of, taken), strict=True):
        own = own_pool(of, passes) if pool is None else pool
        queries, _ = of.lengths(changed)
        after.append(changed.without(_texts(of, passes, taken, stand_ins(taken.how, own, queries, taken.samples, seed)),
                                     frozenset(taken.layers)))  # fmt: skip
    values_before, values_after = (of.values([read.values for read in reads])[:, 0] for reads in (before, after))
    spread = values_after.std().item() / len(values_after) ** 0.5 if len(values_after) > 1 else None
    return Effect(
        text=of.objective.encoded.text,
        target=of.objective.explained,
        quantity=of.objective.quantity,
        taken=taken,
        before=values_before.item(),
        after=values_after.mean().item(),
        standard_error=spread,
        tokens=_tokens(of, before[0], after[0]),
        ranking=_ranking(of, before[0], after[0], top),
        notes=_notes(of, taken),
        provenance=provenance(of.model),
    )


def _texts(of: Experiment, passes: Passes, taken: Taken, instead: StandIns) -> list[KnockOut]:
    """What each sample loses."""
    place = _places(passes, taken)
    pairs = frozenset(
        (place[q], place[k]) for edge in taken.edges for q, k in edges_of(of, passes, edge) if q in place and k in place
    )
    edges = dict.fromkeys(taken.edge_layers, pairs)
    samples = instead.samples if taken.heads else 1
    return [
        KnockOut({head: instead.of(*head, sample) for head in taken.heads}, edges, taken.renormalise)
        for sample in range(samples)
    ]


def _places(passes: Passes, taken: Taken) -> dict[int, int]:
    """Where each token of the text stands that is left."""
    gone = _tokens_of(taken) if taken.replacement == "delete" else frozenset()
    length = max(passes.inputs_length, len(passes.readout.decoder))
    return {old: new for new, old in enumerate(i for i in range(length) if i not in gone)}


def _tokens_of(taken: Taken) -> frozenset[int]:
    return frozenset(token for word in taken.words for token in word.tokens)


def _without_words(of: Experiment, taken: Taken) -> Sequence[Passes]:
    """The passes, over the text without the words."""
    if not taken.words or taken.replacement is None:
        return of.passes
    tokens = _tokens_of(taken)
    if tokens & set(of.objective.fixed):
        raise InputError("the target is about a token of a word that was to be taken away: take away another")
    if of.stack == "decoder" or any(token >= of.passes[0].inputs_length for token in tokens):
        raise InputError("words of the target cannot be taken away: give words of the text")
    vector = baseline_vector(of.model, taken.replacement) if taken.replacement in ("zero", "mean") else None
    variants = [variants_of(of.model, passes.readout, [tokens], taken.replacement)[0] for passes in of.passes]
    if taken.replacement == "delete":
        return [_shorter(of, passes, taken, one) for passes, one in zip(of.passes, variants, strict=True)]
    overwritten = variants[0].overwritten
    return with_readouts(of.passes, [one.readout for one in variants], overwritten=overwritten, vector=vector)


def _shorter(of: Experiment, passes: Passes, taken: Taken, variant: Variant) -> Passes:
    """The passes over the text without the words. Raises InputError where the target loses a part of it."""
    left = variant.readout
    if of.stack == "cross" or len(left.ids) < len(passes.readout.ids) or left.of_text:
        raise InputError(
            "the target is about the text itself here, or about what is left out: choose another replacement"
        )
    if len(left.inputs["input_ids"]) != passes.inputs_length - len(_tokens_of(taken)):
        raise InputError("without these words nothing stands before the target: choose another replacement")
    net = of.model.model
    site = Site.of(
        net, batch_inputs(net, [left]), of.stack, attention=bool(taken.heads or taken.edges), layers=bool(taken.layers)
    )
    return replace(
        passes, site=site, readout=left, at=None if passes.at is None else ranked_at(of.model, left), outputs=[]
    )


def _tokens(of: Experiment, before: Read, after: Read) -> tuple[TokenEffect, ...]:
    """The target token by token; none of a label."""
    readout = of.passes[0].readout
    writes = task_of(of.model.model) in ("causal", "masked", "encoder-decoder")
    if not writes or readout.highest or readout.of_whole:
        return ()
    places = [i for i, sign in enumerate(readout.signs) if sign == 1]
    names = _names(of, readout, places)
    each = replace(readout, per_token=True)
    # The mean of the samples' values, as the target's own is: a probability is not that of the mean log-probability.
    one, other = (each.value(read.entries.double()).mean(0) for read in (before, after))
    return tuple(TokenEffect(name, float(one[i]), float(other[i])) for name, i in zip(names, places, strict=True))


def _names(of: Experiment, readout: Readout, places: Sequence[int]) -> list[str]:
    if readout.of_text:
        tokens = of.objective.encoded.tokens
        return [tokens[readout.positions[i] + readout.ahead].text for i in places]
    # Bytes of one character are shown where it is whole.
    names, shown = [], ""
    for count in range(1, len(places) + 1):
        text = decoded(of.model.tokenizer, [readout.ids[i] for i in places[:count]])
        whole = text.rstrip("\ufffd") if count < len(places) else text
        names.append(whole[len(shown) :])
        shown = whole
    return names


def _ranking(of: Experiment, before: Read, after: Read, top: int) -> tuple[Ranked, ...]:
    """The likeliest of before and of after, and the target's own, by their probability before."""
    if before.ranking is None or after.ranking is None:
        return ()
    one, other = before.ranking[0].double().exp(), after.ranking.double().exp().mean(0)
    readout = of.passes[0].readout
    asked = [i for i, p in zip(readout.ids, readout.positions, strict=True) if p == of.passes[0].at]
    count = min(top, len(one))
    shown = list(dict.fromkeys([*one.topk(count).indices.tolist(), *other.topk(count).indices.tolist(), *asked]))
    shown.sort(key=lambda i: (-float(one[i]), i))
    return tuple(Ranked(_next(of, i), float(one[i]), float(other[i]), _place(one, i), _place(other, i)) for i in shown)


def _next(of: Experiment, identity: int) -> str:
    labels = task_of(of.model.model) in ("classifier", "token classifier")
    # A vocabulary may have places that no text has.
    return label_name(of.model, identity) if labels else decoded(of.model.tokenizer, [identity]) or f"token {identity}"


def _place(shares: Tensor, identity: int) -> int:
    return int((shares > shares[identity]).sum()) + 1


def _notes(of: Experiment, taken: Taken) -> tuple[str, ...]:
    notes = []
    if taken.heads:
        source = f"{taken.references} other texts" if taken.references else "the text before its target"
        notes.append(
            {
                "zero": "The heads put out zeros, which may be far from all that they ever put out.",
                "mean": f"The heads put out the mean of their outputs on {source}.",
                "resample": f"The heads put out what they do at other tokens of {source}, {taken.samples} times drawn.",
            }[taken.how]
        )
    if taken.edges:
        rest = "The rest of a query's weights grew to sum to one." if taken.renormalise else (
            "The rest of a query's weights stayed as it was."
        )  # fmt: skip
        every = len(taken.edge_layers) == len(of.heads)
        where = "all layers with attention weights" if every else f"layers {', '.join(map(str, taken.edge_layers))}"
        notes.append(f"Edges were cut in every head of {where}. {rest}")
        if others := [kind for kind in of.kinds if kind not in ("attention", "a feed-forward layer")]:
            notes.append(f"Tokens also mix in {len(others)} layers without attention weights, where no edge is cut.")
    if taken.words:
        left_out = taken.replacement == "delete"
        notes.append("Words were left out." if left_out else
                     f"Words were overwritten ({taken.replacement}) and kept their places.")  # fmt: skip
    return tuple(notes)
