"""A list of texts: a target for each, a bar over all, and one that fails need not fail the others."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from attnscope.errors import AttnscopeError, InputError, TextError
from attnscope.models.progress import bar
from attnscope.results.collection import Failed, Results
from attnscope.results.plain import is_missing, listed, plain_lists

# The parameters that may be a list, with a value for each text.
EACH = ("target", "against", "similar_to", "within")
# Texts that run together: enough for full batches of texts of similar length, few enough to hold.
_TEXTS = 256
_CHARACTERS = 64_000

# The results of some texts, given the parameters that all share and of each text its own.
RunSome = Callable[[list[Any], dict[str, Any], list[dict[str, Any]]], list[Any]]


def is_list(value: object) -> bool:
    """Whether this is several values: a list, an array, a column of a table, but not a text and not a span (3, 8).

    >>> is_list(["a", None]), is_list("ab"), is_list(3)
    (True, False, False)
    """
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(place, int) for place in value):
        return False
    return not isinstance(value, str) and getattr(value, "shape", None) != () and hasattr(value, "__iter__")


def is_each(name: str, value: object) -> bool:
    """Whether a parameter has a value for each text. A span may be a list of two numbers.

    >>> is_each("within", [3, 8]), is_each("within", [(3, 8), None]), is_each("target", [3, 8])
    (False, True, True)
    """
    if name == "within" and is_list(value) and all(isinstance(place, int) for place in plain_lists(value)):
        return False
    return name in EACH and is_list(value)


def checked_list(texts: Any) -> list[Any]:
    """The texts as a list. Raises TextError for what is neither a text nor a list of them."""
    if not hasattr(texts, "__iter__"):
        raise TextError(f"the text is of type {type(texts).__name__}: give a str, or a list of them")
    return listed(texts)


def check_one(parameters: dict[str, Any]) -> None:
    """Raises InputError for a list of values where there is one text."""
    for name in EACH:
        if is_each(name, parameters.get(name)):
            raise InputError(f"{name} is a list and there is one text: give a list of texts too, or one {name}")


def run_many(
    texts: Sequence[Any], parameters: dict[str, Any], run_some: RunSome, on_error: str = "raise"
) -> Results[Any]:
    """The results of the texts in their order.

    on_error: "raise" raises the first error, naming its text; "keep" puts a Failed in its place.
    Raises InputError for a list of targets of another length than the texts.
    """
    if on_error not in ("raise", "keep"):
        raise InputError(f"on_error={on_error!r}: choose 'raise' or 'keep'")
    shared, own = parted(parameters, len(texts))
    results: list[Any] = []
    with bar("texts", len(texts)) as done:
        for members in _windows(texts):
            results += _some(texts, members, shared, own, run_some, on_error)
            done(len(members))
    return Results(results)


def parted(parameters: dict[str, Any], count: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The parameters that all texts share, and of each text its own."""
    own: list[dict[str, Any]] = [{} for _ in range(count)]
    shared = dict(parameters)
    for name in EACH:
        if not is_each(name, parameters.get(name)):
            continue
        values = listed(shared.pop(name))
        if len(values) != count:
            raise InputError(
                f"{name} has {len(values)} values and there are {count} texts: give one for each, None where a text "
                "has none"
            )
        for given, value in zip(own, values, strict=True):
            if not is_missing(value):
                given[name] = value
    return shared, own


def alike(own: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """The numbers of the texts that have the same parameters of their own, in groups.

    >>> alike([{"target": "a"}, {}, {"target": "a"}])
    [[0, 2], [1]]
    """
    groups: dict[Hashable, list[int]] = {}
    for number, given in enumerate(own):
        # The type too, because the label 1 is not the text "1", and True equals 1.
        key = tuple((name, type(value), repr(value)) for name, value in given.items())
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _windows(texts: Sequence[Any]) -> Iterator[range]:
    """Neighbouring texts that run together."""
    first, characters = 0, 0
    for number, text in enumerate(texts):
        if number > first and (number - first == _TEXTS or characters > _CHARACTERS):
            yield range(first, number)
            first, characters = number, 0
        characters += len(text) if isinstance(text, str) else _CHARACTERS // _TEXTS
    if len(texts) > first:
        yield range(first, len(texts))


def _some(
    texts: Sequence[Any],
    members: range,
    shared: dict[str, Any],
    own: Sequence[dict[str, Any]],
    run_some: RunSome,
    on_error: str,
) -> list[Any]:
    """The results of some texts. Of those that fail together each half is tried by itself: which of them was it?"""
    try:
        return run_some([texts[number] for number in members], shared, [own[number] for number in members])
    except AttnscopeError as error:
        failed = error
    if len(members) > 1:
        halves = members[: len(members) // 2], members[len(members) // 2 :]
        results = [result for half in halves for result in _some(texts, half, shared, own, run_some, on_error)]
        if on_error == "raise":
            raise failed
        return results
    (number,) = members
    if on_error == "raise":
        raise type(failed)(f"text {number} of {len(texts)}: {failed}") from failed
    text = texts[number]
    return [Failed(text if isinstance(text, str) else repr(text), type(failed).__name__, str(failed))]
