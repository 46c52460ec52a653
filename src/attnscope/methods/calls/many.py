"""A list of texts: a target for each, a bar over all, and one that fails need not fail the others."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from attnscope.errors import AttnscopeError, InputError, TextError
from attnscope.models.progress import bar
from attnscope.results.collection import Failed, Results
from attnscope.results.plain import is_missing, listed

# The parameters that may be a list, with a value for each text.
EACH = ("target", "against", "similar_to")
# Texts between two steps of the bar: enough for a batch of short ones.
_TOGETHER = 16

# The results of some texts, given the parameters that are theirs.
RunSome = Callable[[list[Any], dict[str, Any]], list[Any]]


def is_list(value: object) -> bool:
    """Whether this is several values: a list, an array, a column of a table, but not a text and not a span (3, 8).

    >>> is_list(["a", None]), is_list("ab"), is_list(3)
    (True, False, False)
    """
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(place, int) for place in value):
        return False
    return not isinstance(value, str) and getattr(value, "shape", None) != () and hasattr(value, "__iter__")


def checked_list(texts: Any) -> list[Any]:
    """The texts as a list. Raises TextError for what is neither a text nor a list of them."""
    if not hasattr(texts, "__iter__"):
        raise TextError(f"the text is of type {type(texts).__name__}: give a str, or a list of them")
    return listed(texts)


def check_one(parameters: dict[str, Any]) -> None:
    """Raises InputError for a list of values where there is one text."""
    for name in EACH:
        if is_list(parameters.get(name)):
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
    results: list[Any] = [None] * len(texts)
    with bar("texts", len(texts)) as done:
        for members in _groups(own):
            given = shared | own[members[0]]
            for number, result in zip(members, _some(texts, members, given, run_some, on_error), strict=True):
                results[number] = result
            done(len(members))
    return Results(results)


def parted(parameters: dict[str, Any], count: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The parameters that all texts share, and of each text its own."""
    own: list[dict[str, Any]] = [{} for _ in range(count)]
    shared = dict(parameters)
    for name in EACH:
        if not is_list(parameters.get(name)):
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


def _groups(own: Sequence[dict[str, Hashable]]) -> list[list[int]]:
    """The numbers of texts that run together: those with the same parameters, not too many."""
    alike: dict[Hashable, list[int]] = {}
    for number, given in enumerate(own):
        # The type too, because the label 1 is not the text "1", and True equals 1.
        key = tuple((name, type(value), value) for name, value in given.items())
        alike.setdefault(key, []).append(number)
    return [members[i : i + _TOGETHER] for members in alike.values() for i in range(0, len(members), _TOGETHER)]


def _some(
    texts: Sequence[Any], members: Sequence[int], given: dict[str, Any], run_some: RunSome, on_error: str
) -> list[Any]:
    try:
        return run_some([texts[number] for number in members], given)
    except AttnscopeError as error:
        failed = error
    # Each alone: which of them was it?
    results = []
    for number in members:
        try:
            results += run_some([texts[number]], given)
        except AttnscopeError as error:
            if on_error == "raise":
                raise type(error)(f"text {number} of {len(texts)}: {error}") from error
            text = texts[number]
            results.append(Failed(text if isinstance(text, str) else repr(text), type(error).__name__, str(error)))
    if on_error == "raise":
        raise failed
    return results
