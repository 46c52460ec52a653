"""The one runner: it makes tasks of texts, lets the method score each, and makes results of the scores.

A method that explains a target gets a task with an objective. A method that reads attention gets a query. Given a
target, its queries are the positions that predict the target: for a continuation the token before each of its tokens,
for a masked word the mask, for a token's label that token, and in an encoder–decoder the decoder's position, which
reads the text by cross-attention.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from attnscope.errors import InputError, QueryError, TextError
from attnscope.methods.build import result_of, results_by_query
from attnscope.methods.calls.advice import advise
from attnscope.methods.calls.many import alike, check_one, checked_list, is_each, parted, run_many
from attnscope.methods.plan import GENERATION, Work, foresee, foresee_generation
from attnscope.methods.request import UNASKED, Query, Request, requested
from attnscope.methods.shared import SharedAttention, SharedGradients, query_weights
from attnscope.methods.table import Method
from attnscope.methods.task import Scores, Task
from attnscope.methods.units import units_of
from attnscope.methods.windows import Windows, check_window, label_of_all, put_together, windows_of
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.query_key_batch import QueryKeyBatch, query_key_batches, query_key_texts
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.resolve import resolve
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken
from attnscope.results.plain import plain_numbers
from attnscope.text.inputs import Chat, Given, Reading, is_one, paired
from attnscope.text.words import TokenSpan, find_words

Result = Attribution | PerToken
_MANY_QUERIES = "units are scored for one query at a time: give one query instead of a list"


def run(model: Model, text: Given, method: Method, parameters: dict[str, Any]) -> Any:
    """The result of one text, or Results for a list of texts; with a list of queries, each result is itself a list.

    parameters: those of the method, and for a list of texts on_error, see `run_many`.
    Raises InputError for a parameter that the method does not take, and what encoding, resolving the target and the
    method raise.
    """
    model, text, given = load(model), plain_numbers(text), dict(parameters)
    on_error = given.pop("on_error", "raise")

    def results(texts: Sequence[Any], shared: dict[str, Any], own: Sequence[dict[str, Any]]) -> list[Any]:
        groups = []
        for members in alike(own):
            given = {**shared, **own[members[0]]}
            options, request = requested(given, method.options, method.shared_options, method.name)
            groups.append((members, _Runner(model, method, options, request)))
        with default_settings():
            return _results(texts, groups)

    if not is_one(text):
        texts = paired(checked_list(text), given.pop("text_pair", None))
        shared = {name: value for name, value in given.items() if not is_each(name, value)}
        _, request = requested(shared, method.options, method.shared_options, method.name)
        if on_error == "raise" and request.window is None:
            # A text that cannot be read is named before anything runs.
            encoded_texts(model, texts, request.reading)
        every = run_many(texts, given, results, on_error)
        shared, own = parted(given, len(texts))
        advise(model, texts, [shared | each for each in own], every)
        return every
    check_one(given)
    (result,) = results([text], given, [{}])
    advise(model, [text], [given], [result])
    return result


def _results(texts: Sequence[Any], groups: "Sequence[tuple[list[int], _Runner]]") -> list[Any]:
    """One result per text. groups: the texts, by their numbers, that are asked the same.

    Texts that are asked about different targets share their passes all the same.
    """
    results: dict[int, Any] = {}
    tasks: dict[bool, dict[int, Task]] = {False: {}, True: {}}  # by whether the target is a similarity
    for members, runner in groups:
        some = [texts[number] for number in members]
        if len(groups) > 1 and runner.makes_tasks(some):
            tasks[runner.request.similar_to is not None] |= zip(members, runner.tasks(some), strict=True)
        else:
            results |= zip(members, runner.results(some), strict=True)
    for together in filter(None, tasks.values()):
        order = sorted(together)
        shared = with_shared([together[number] for number in order])
        results |= zip(order, groups[0][1].scored(shared), strict=True)
    return [results[number] for number in range(len(texts))]


class _Runner:
    """One call: a model, a method with its options, and the request."""

    def __init__(self, model: Model, method: Method, options: dict[str, Any], request: Request) -> None:
        self.model, self.method, self.options, self.request = model, method, options, request
        self.work = Work.of(method)

    def results(self, text: Given) -> list[Any]:
        """One result per text."""
        if self.request.window is not None:
            return self._in_windows([text] if is_one(text) else text)
        if self._looks_from_query(text):
            return self._by_query(text)
        return self.scored(with_shared(self.tasks(text)))

    def makes_tasks(self, text: Given) -> bool:
        """Whether each text is a task with a target."""
        return self.request.window is None and not self._looks_from_query(text)

    def scored(self, tasks: Sequence[Task]) -> list[Any]:
        """The results of tasks with a target."""
        return [result_of(task, self.method, self.options, self._valued(task)) for task in tasks]

    def _in_windows(self, texts: Sequence[Any]) -> list[Any]:
        size = check_window(self.model, self.request)
        if any(not isinstance(text, str) for text in texts):
            raise InputError(
                "window was given with a chat or a pair of texts, whose parts are read as a whole: cut the longest of "
                "them with truncate=True, or give one message or one text by itself"
            )
        windows = [windows_of(self.model, text, size) for text in texts]
        targets = [self._target_in(each) for each in windows]
        results: dict[int, Any] = {}
        for target in dict.fromkeys(targets):
            members = [i for i, own in enumerate(targets) if own == target]
            request = replace(self.request, window=None, target=target)
            pieces = [piece for i in members for piece in windows[i]]
            found = iter(_Runner(self.model, self.method, self.options, request).results(pieces))
            for i in members:
                results[i] = put_together(windows[i], list(islice(found, len(windows[i]))), self.request, size)
        return [results[i] for i in range(len(texts))]

    def _target_in(self, windows: Windows) -> Any:
        """The target of every window of a text. Each by itself may predict another label, and what is put together has
        to be about one."""
        target = self.request.target
        if target is not None or len(windows) == 1 or task_of(self.model.model) != "classifier":
            return target
        return None if self._looks_from_query(list(windows)) else label_of_all(self.model, windows)

    def _looks_from_query(self, text: Given) -> bool:
        request, asks = self.request, self.method.asks
        if asks == "target":
            return self.method.family == "own" and request.asks_query
        if asks == "prediction":
            explained = (
                request.given("target", "generate", "per_token", "similar_to") or task_of(self.model.model) != "causal"
            )
            explained = explained or self._all_reply(text)
            return request.query not in (UNASKED, self.method.query) or not explained
        # With a query or a stack, the target is text that follows, not what is explained.
        target_follows = request.asks_query and not request.given("per_token", "position")
        return target_follows or not request.asks_target

    def _all_reply(self, text: Given) -> bool:
        """Whether the chats end with replies. Raises InputError where only some do."""
        read = [self.request.reading.one(one) for one in ([text] if is_one(text) else text)]
        replies = [isinstance(one, Chat) and one.replies for one in read]
        if len(set(replies)) == 2:
            raise InputError(
                f"some of these chats end with a reply, which {self.method.name} explains, and some do not: give them "
                "in two lists, or a target"
            )
        return all(replies)

    def _score(self, task: Task) -> Scores:
        scores = self.method.run(task, **self.options)
        if not isinstance(scores, Scores):
            raise InputError(
                f"the method {self.method.name!r} returned {type(scores).__name__}: it must return attnscope.Scores"
            )
        return scores

    def _valued(self, task: Task) -> Scores:
        """The scores, with the target's values even where the method reads nothing but attention."""
        scores = self._score(task)
        if self.method.asks == "query":
            return replace(scores, values=task.values())
        task.check_possible(np.asarray(scores.values, dtype=np.float64))
        return scores

    # Tasks with a target

    def tasks(self, text: Given) -> list[Task]:
        """One task per text. What a long one takes is logged before the first starts."""
        request, target = self.request, self.request.explained()
        if self.method.asks == "query":
            self._check_attention_target()
        tasks = []
        for encoded in encoded_texts(self.model, text, self._reading):
            if target.generate is not None:
                foresee(self.model, GENERATION, len(encoded.tokens), target.generate)
            objective = resolve(self.model, encoded, target)
            units = units_of(objective.encoded, request.unit, request.segments, request.within)
            passes = self.work.runs(self.options, len(units)) * len(objective.readouts)
            longest = max(readout.length for readout in objective.readouts)
            foresee(self.model, self.work, longest, passes, max(1, len(objective.about)))
            tasks.append(Task(self.model, self.method.name, objective.encoded, units, request, objective))
        return [self._at_predictions(task) for task in tasks] if self.method.asks == "query" else tasks

    @property
    def _reading(self) -> Reading:
        """How texts are read; one that is compared and too long is cut where the model would leave off."""
        reading, pooling = self.request.reading, self.model.pooling
        compared = self.request.similar_to is not None and pooling is not None
        return replace(reading, max_tokens=pooling.max_tokens) if compared and pooling else reading

    def _check_attention_target(self) -> None:
        name, request, net = self.method.name, self.request, self.model.model
        if request.query is not UNASKED:
            raise InputError(
                "both a query and a target were given: of a target the query is the position that predicts it"
            )
        if request.against is not None:
            raise InputError(f"{name} is a share of attention and has no contrast: leave against out")
        if request.similar_to is not None:
            raise InputError(
                f"{name} has no query for the similarity of the whole text, which is read off no single token: give "
                "query, such as query=0, and leave similar_to out"
            )
        if task_of(net) == "classifier":
            raise InputError(
                f"{name} has no query for a label of the whole text, which {type(net).__name__} reads off no single "
                "token: give query, such as query=0, and no target"
            )

    def _at_predictions(self, task: Task) -> Task:
        """The task with the positions that predict its target as queries."""
        (readout,) = task.target.readouts
        if readout.highest:
            raise InputError(f"{self.method.name} needs the token whose label is meant: give position too")
        positions = list(dict.fromkeys(readout.positions))
        request = self.request
        if is_encoder_decoder(self.model.model):
            target, generate = request.following()
            texts = query_key_texts(self.model, [task.encoded], stack="cross", target=target, generate=generate)
        else:
            texts = query_key_texts(self.model, [_read(task)])
        (batch,) = query_key_batches(texts)
        queries = tuple((position,) for position in positions)
        weights = query_weights([queries], len(batch.queries[0].tokens))
        return replace(task, asked=tuple(positions), queries=queries, shared_attention=SharedAttention(batch, weights))

    # Tasks with queries

    def _by_query(self, text: Given) -> list[Any]:
        request = self.request
        queries, several = request.queries(self.method.query)
        if not queries:
            raise QueryError(
                "the list of queries is empty: give at least one word or token index, or None for the mean"
            )
        if several and request.given("unit", "segments", "within"):
            raise InputError(_MANY_QUERIES)
        if self.method.asks == "query":
            for name in ("against", "quantity", "position", "per_token", "similar_to"):
                if request.given(name):
                    raise InputError(f"{name} does not go with a query of {self.method.name}: leave out one of them")
        # With a query, the target of a "prediction" is the next token at the query, not text that follows.
        target, generate = (None, None) if self.method.asks == "prediction" else request.following()
        results: dict[int, Any] = {}
        texts = query_key_texts(
            self.model, text, stack=request.stack, target=target, generate=generate, reading=request.reading
        )
        foresee_generation(texts)
        for batch in query_key_batches(texts):
            foresee(self.model, self.work, max(len(encoded.tokens) for encoded in batch.keys))
            for place, task in enumerate(self._batch(batch, queries)):
                by_query = results_by_query(
                    task, self.method, self.options, self._score(task),
                    query_text=batch.queries[place].text if batch.stack == "cross" else None,
                    continued_at=batch.prompts[place],
                )  # fmt: skip
                results[batch.members[place]] = by_query if several else by_query[0]
        return [results[i] for i in range(len(results))]

    def _batch(self, batch: QueryKeyBatch, asked: Sequence[Query]) -> list[Task]:
        """One task for each text of a batch."""
        request = self.request
        places = [tuple(query_positions(encoded, query) for query in asked) for encoded in batch.queries]
        weights = query_weights(places, max(len(encoded.tokens) for encoded in batch.queries))
        shared = SharedAttention(batch, weights)
        return [
            Task(
                self.model,
                self.method.name,
                encoded,
                units_of(encoded, request.unit, request.segments, request.within),
                request,
                asked=tuple(asked),
                queries=queries,
                shared_attention=shared,
                place=place,
            )
            for place, (encoded, queries) in enumerate(zip(batch.keys, places, strict=True))
        ]


def with_shared(tasks: Sequence[Task]) -> list[Task]:
    """The tasks, with what they need of the model alike computed together."""
    if any(task.queries for task in tasks):
        return list(tasks)
    shared = SharedGradients(tasks[0].model, [task.target for task in tasks])
    return [replace(task, shared_gradients=shared, place=i) for i, task in enumerate(tasks)]


def query_positions(encoded: Encoded, query: Query) -> tuple[int, ...]:
    """The positions of a query's tokens. Raises QueryError for a query that the text does not have."""
    count = len(encoded.tokens)
    if query is None:
        positions = tuple(i for i, token in enumerate(encoded.tokens) if not token.special)
        if not positions:
            raise TextError("the text has no token that is not special, so there is nothing to show")
        return positions
    if isinstance(query, str):
        words = find_words(encoded.text, encoded.words, query)
        return tuple(token for word in words for token in encoded.words[word].tokens)
    if not isinstance(query, int) or isinstance(query, bool):
        raise QueryError(f"the query {query!r} is neither a word nor the index of a token")
    if not -count <= query < count:
        raise QueryError(f"the query token {query} is out of range: the text has the tokens 0 to {count - 1}")
    return (query % count,)


def _read(task: Task) -> Encoded:
    """What the model reads, one token per id. Tokens of a continuation that is not scored have no place in the text."""
    encoded, inputs = task.encoded, task.target.readouts[0].inputs
    count = len(inputs["input_ids"])
    more = [TokenSpan("", 0, 0, True)] * max(0, count - len(encoded.tokens))
    words = tuple(word for word in encoded.words if max(word.tokens) < count)
    read = {name: list(ids) for name, ids in inputs.items()}
    return replace(encoded, inputs=read, tokens=(*encoded.tokens[:count], *more), words=words)
