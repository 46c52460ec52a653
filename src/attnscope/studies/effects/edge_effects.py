"""`ats.edge_effects`: what a target loses when it may not look at a word, by windows of layers."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.models.default_settings import default_settings
from attnscope.models.intervention.knock_out import KnockOut
from attnscope.models.loading.load import Model, load
from attnscope.models.progress import bar
from attnscope.models.targets.target import Target
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.effect import TakenEdge, TakenWord
from attnscope.results.plain import plain_lists, plain_numbers
from attnscope.studies.effects.experiment import Experiment, experiment
from attnscope.studies.effects.head_effects import known_layers, listed_targets
from attnscope.studies.effects.knock_out import edges_of
from attnscope.text.inputs import Messages, Reading, Tools, is_one


def edge_effects(
    model: Model,
    text: str | Messages | Sequence[str | Messages],
    target: Any = None,
    *,
    window: int = 9,
    words: Mapping[str, Sequence[str | int] | str | int] | Sequence[str | int] | None = None,
    query: str | int | None = None,
    against: Any = None,
    generate: int | None = None,
    position: int | str | None = None,
    quantity: Literal["log_probability", "loss", "logit", "probability"] | None = None,
    similar_to: str | None = None,
    renormalise: bool = True,
    stack: Literal["encoder", "decoder", "cross"] | None = None,
    chat: bool = False,
    truncate: bool = False,
    tools: Tools | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
) -> EdgeEffects:
    """The effect on a target when it may not look at a word in a window of layers: words × layers.

    For each word and each layer, the edges from the query to the word are cut in `window` layers around this one, as in
    `knock_out` (attention knock-out, Geva et al. 2023, arXiv:2304.14767): where the effect is large, what the word has
    to say reaches the query in these layers. The effect is the target's value less its value with the edges cut.

    query:  a word or a token's index; by default the tokens that the target is read from: of a continuation the token
            before each of its own, of a label those that the model reads it off, of an encoder's output, which a
            decoder reads whole, all. A token of the query is never cut from itself.
    words:  some words or tokens of the text; by default all of its words. Of a list of texts, what stands for a word in
            each: {"subject": ["Japan", "France"], "last": -1}; the effects are means over the texts, with bootstrap
            intervals.
    window: how many layers with attention weights; at the ends of the model it is cut off.
    target, against, generate, position, quantity, similar_to, renormalise, stack: as in `knock_out`.

    A pass a word and layer, the words side by side; a pass begins at the window's first layer where the model allows
    it. Raises what `knock_out` raises.

    >>> edges = ats.edge_effects(model, "Tokyo is the capital of", " Japan", words=["Tokyo"])
    >>> layer = int(edges.effect[0].argmax())
    >>> edges.layers[layer], round(float(edges.effect[0, layer]), 1)
    (22, 10.4)
    """
    model, text, window, query = load(model), plain_numbers(text), plain_numbers(window), plain_numbers(query)
    if type(window) is not int or window < 1:
        raise InputError(f"window={window!r}: give how many layers, such as 9")
    texts, targets = listed_targets(text, target, against)
    if not is_one(text) and not isinstance(words, Mapping):
        raise InputError(
            "several texts have different words: say what stands for a word in each, such as "
            'words={"subject": ["Japan", "France"], "last": -1}'
        )
    roles = _roles(words, len(texts))
    reading = Reading(chat, truncate, tools, chat_template_kwargs)
    made, effects, names = [], [], None
    places: tuple[tuple[int, int], ...] = ()
    with default_settings(), bar("texts", len(texts)) as done:
        for number, (one, (its_target, its_contrast)) in enumerate(zip(texts, targets, strict=True)):
            asked = Target(
                its_target, its_contrast, plain_numbers(generate), False, plain_numbers(position), quantity, similar_to,
                truncate,
            )  # fmt: skip
            of = known_layers(experiment(model, one, asked, reading, stack, attention=True, layers=False))
            chosen = _words(of, None if roles is None else [given[number] for given in roles.values()])
            names = list(roles) if roles is not None and isinstance(words, Mapping) else [w.text for w in chosen]
            value, effect = _effects(of, chosen, _query(of, query), window, renormalise)
            places = tuple(_place(of, word) for word in chosen)
            made.append((of, value))
            effects.append(effect)
            done(1)
    first = made[0][0]
    return EdgeEffects(
        texts=tuple(of.objective.encoded.text for of, _ in made),
        targets=tuple(of.objective.explained for of, _ in made),
        quantity=first.objective.quantity,
        values=tuple(value for _, value in made),
        words=tuple(names or ()),
        queries=_queries(first, query),
        layers=tuple(first.heads),
        window=min(window, len(first.heads)),
        effects=np.stack(effects),
        renormalise=renormalise,
        stack=first.stack,
        notes=_notes(first, renormalise),
        provenance=provenance(model),
        places=places if len(made) == 1 else (),
    )


def _place(of: Experiment, word: TakenWord) -> tuple[int, int]:
    """Where a word begins and ends in the text."""
    tokens = [of.keys.tokens[i] for i in word.tokens]
    start, end = min(token.start for token in tokens), max(token.end for token in tokens)
    # A token may begin with the space in front of its word.
    inside = of.keys.text[start:end]
    return start + len(inside) - len(inside.lstrip()), end


def _roles(words: Any, count: int) -> dict[str, list[Any]] | None:
    """By name, the word of each text; None for all words of one text."""
    if words is None:
        return None
    if not isinstance(words, Mapping):
        listed = plain_lists(words)
        words = {str(i): [word] for i, word in enumerate([listed] if isinstance(listed, str | int) else listed)}
    roles = {}
    for name, given in words.items():
        each = plain_lists(given)
        each = list(each) if isinstance(each, list | tuple) else [each] * count
        if len(each) != count:
            raise InputError(f"words: {name!r} has {len(each)} words for {count} texts: give one for each")
        roles[str(name)] = each
    if not roles:
        raise InputError("words is empty: name at least one")
    return roles


def _words(of: Experiment, asked: list[Any] | None) -> list[TakenWord]:
    if asked is not None:
        return [of.word(word) for word in asked]
    encoded = of.keys
    last = of.prompt if of.stack in ("self", "encoder") else len(encoded.tokens)
    found = [
        TakenWord(encoded.text[word.start : word.end], tuple(word.tokens))
        for word in encoded.words
        if min(word.tokens) < last
    ]
    if not found:
        raise InputError("the text has no words that could be looked at")
    return found


def _queries(of: Experiment, query: str | int | None) -> str:
    """From where, in words."""
    if query is not None:
        return f"“{of.word(query, 'queries').text.strip()}”"
    return "the other tokens" if of.stack == "encoder" else "the target"


def _query(of: Experiment, query: str | int | None) -> TakenWord:
    if query is not None:
        return of.word(query, "queries")
    return TakenWord("the target", of.read_at())


def _effects(
    of: Experiment, words: Sequence[TakenWord], query: TakenWord, window: int, renormalise: bool
) -> tuple[float, NDArray[np.float64]]:
    """The target's value, and (word, layer) the effects."""
    layers = list(of.heads)
    effects, value = np.zeros((len(words), len(layers))), 0.0
    for passes in of.passes:
        clean = passes.record(outputs=bool(passes.site.layers)).values[0, 0].item()
        value += clean
        pairs = [_pairs(edges_of(of, passes, TakenEdge(query, word)), of.stack) for word in words]
        for column in range(len(layers)):
            first = max(0, column - window // 2)
            cut = layers[first : column + (window + 1) // 2]
            texts = [KnockOut(edges=dict.fromkeys(cut, edges), renormalise=renormalise) for edges in pairs if edges]
            if texts:
                without = iter(passes.without(texts, begins=cut[0]).values[:, 0].tolist())
                # A word that the query cannot see has nothing to lose.
                effects[:, column] += [clean - next(without) if edges else 0.0 for edges in pairs]
    return value, effects


def _pairs(edges: frozenset[tuple[int, int]], stack: str) -> frozenset[tuple[int, int]]:
    return edges if stack == "cross" else frozenset((q, k) for q, k in edges if q != k)


def _notes(of: Experiment, renormalise: bool) -> tuple[str, ...]:
    notes = [
        "The rest of the query's weights grew to sum to one."
        if renormalise
        else "The rest of the query's weights stayed as it was."
    ]
    if others := [kind for kind in of.kinds if kind not in ("attention", "a feed-forward layer")]:
        notes.append(f"Tokens also mix in {len(others)} layers without attention weights, where no edge is cut.")
    return tuple(notes)
