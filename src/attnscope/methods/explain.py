"""`ats.explain` and `ats.attention`, the functions that users call."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Unpack, overload

from attnscope.errors import ModelError
from attnscope.methods.attention.attention import attention as attention_row
from attnscope.methods.calls.auto import AUTO, chosen
from attnscope.methods.request import Query, RowOptions
from attnscope.methods.runner import run
from attnscope.methods.table import Method, method_of
from attnscope.methods.task import Scores
from attnscope.models.loading.load import Model, load
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken
from attnscope.results.plain import listed
from attnscope.text.inputs import Given, Messages, is_one

AnyMethod = str | Method | Callable[..., Scores]
Several = Sequence[int | str | None]
DEFAULT = AUTO


@overload
def explain(
    model: Model,
    text: str | Messages,
    method: AnyMethod = DEFAULT,
    *,
    query: Query = None,
    per_token: Literal[False] = False,
    **parameters: Any,
) -> Attribution: ...
@overload
def explain(
    model: Model,
    text: str | Messages,
    method: AnyMethod = DEFAULT,
    *,
    query: Several,
    **parameters: Any,
) -> list[Attribution]: ...
@overload
def explain(
    model: Model,
    text: str | Messages,
    method: AnyMethod = DEFAULT,
    *,
    per_token: Literal[True],
    **parameters: Any,
) -> PerToken: ...
@overload
def explain(
    model: Model,
    text: str | Messages,
    method: AnyMethod = DEFAULT,
    *,
    per_token: bool,
    **parameters: Any,
) -> Attribution | PerToken: ...
@overload
def explain(
    model: Model,
    text: Sequence[str | Messages],
    method: AnyMethod = DEFAULT,
    *,
    query: Query = None,
    per_token: Literal[False] = False,
    **parameters: Any,
) -> list[Attribution]: ...
@overload
def explain(
    model: Model,
    text: Sequence[str | Messages],
    method: AnyMethod = DEFAULT,
    *,
    query: Several,
    **parameters: Any,
) -> list[list[Attribution]]: ...
@overload
def explain(
    model: Model,
    text: Sequence[str | Messages],
    method: AnyMethod = DEFAULT,
    *,
    per_token: Literal[True],
    **parameters: Any,
) -> list[PerToken]: ...
@overload
def explain(
    model: Model,
    text: Sequence[str | Messages],
    method: AnyMethod = DEFAULT,
    *,
    per_token: bool,
    **parameters: Any,
) -> list[Attribution | PerToken]: ...
def explain(model: Model, text: Given, method: AnyMethod = DEFAULT, **parameters: Any) -> Any:
    """Score every token and word of `text` with one method.

    text:       one text, or a chat as a list of messages; or a list of these: then the result is a list in the same
                order, `attnscope.Results`, which is a table too. target and against may then be lists, with a value or
                None for each text; with on_error="keep" a `Failed` stands for a text that cannot be explained, instead
                of an error for all. Of a chat that ends with the assistant's message, that reply is explained: all of
                it, or the part that is the target.
    method:     a name of METHODS, or a function of your own, `(task, *, own options) -> Scores` (`attnscope.Task`). By
                default "auto": one that suits the model, the text's length and `budget`, a number of passes, "fast" or
                "exact" (`attnscope.methods.calls.auto`); the result names it. Without a target, the text of a language
                model is explained by the gradient of its loss.
    parameters: the method's own options, and what all methods take: target, against, generate, per_token, position,
                quantity, similar_to, unit, segments, within, chat, truncate, tools, chat_template_kwargs; attention
                methods also take query and stack (`attnscope.methods.request.Options`).

    The result is an Attribution; with per_token=True a PerToken; with a list of queries a list. Raises InputError for
    an unknown method or parameter, and what the method raises.

    >>> text = "Paris is in France. Tokyo is in"
    >>> words = ats.explain(model, text, method="deletion", target=" Japan", against=" France")
    >>> max(words.words, key=lambda word: word.score).text
    'Tokyo'
    """
    if method == AUTO:
        if not is_one(text) and hasattr(text, "__iter__"):
            text = listed(text)  # a generator is read once
        model = load(model)
        name, given = chosen(model, text, parameters)
        try:
            return run(model, text, method_of(name), given)
        except ModelError:
            # Some families refuse a method for what is only found out as it runs.
            other, given = chosen(model, text, parameters, masked=False)
            if other == name:
                raise
            method, parameters = other, given
    return run(model, text, method_of(method), parameters)


@overload
def attention(  # type: ignore[overload-overlap]  # a str is a Sequence[str] too
    model: Model,
    text: str | Messages,
    layer: int | Literal["mean"] = ...,
    head: int | Literal["mean", "max"] = ...,
    query: Query = ...,
    **options: Unpack[RowOptions],
) -> Attribution: ...
@overload
def attention(  # type: ignore[overload-overlap]
    model: Model,
    text: str | Messages,
    layer: int | Literal["mean"] = ...,
    head: int | Literal["mean", "max"] = ...,
    *,
    query: Several,
    **options: Unpack[RowOptions],
) -> list[Attribution]: ...
@overload
def attention(  # type: ignore[overload-overlap]
    model: Model,
    text: Sequence[str | Messages],
    layer: int | Literal["mean"] = ...,
    head: int | Literal["mean", "max"] = ...,
    query: Query = ...,
    **options: Unpack[RowOptions],
) -> list[Attribution]: ...
@overload
def attention(
    model: Model,
    text: Sequence[str | Messages],
    layer: int | Literal["mean"] = ...,
    head: int | Literal["mean", "max"] = ...,
    *,
    query: Several,
    **options: Unpack[RowOptions],
) -> list[list[Attribution]]: ...
def attention(
    model: Model,
    text: Given,
    layer: int | Literal["mean"] = -1,
    head: int | Literal["mean", "max"] = 0,
    query: Any = None,
    **options: Unpack[RowOptions],
) -> Any:
    """The attention that each token and word of `text` receives from a query.

    text:    one text, or a chat as a list of messages; or a list of these: then the result is a list in the same
             order.
    layer:   index of the layer, negative from the end, or "mean" over layers with attention weights.
    head:    index of the head, or "mean" or "max" over heads.
    query:   the index of a token (special tokens count; negative from the end); or a word of the text, its first
             occurrence: the mean of its tokens' rows; or None: the mean over all tokens that are not special; or a list
             of these: then the result is a list.
    options: linear, stack, target, generate, unit, segments, within, chat, truncate, tools, chat_template_kwargs: see
             `attnscope.methods.request.RowOptions`.

    The scores are the row A[query, :] of A = softmax(QKᵀ·scale + mask), shares from 0 to 1 (arXiv:1706.03762). Of a
    layer of linear attention they are the row of its unrolled matrix, signed. See
    `attnscope.methods.attention.attention` for what they mean and when they mislead.

    Raises TextError, TextTooLongError, QueryError, RangeError, ModelError, NonFiniteError.

    >>> row = ats.attention(model, "The castle on the hill", layer=3, head="mean", query="hill")
    >>> {word.text: round(word.score, 2) for word in row.words}
    {'The': 0.39, 'castle': 0.07, 'on': 0.06, 'the': 0.45, 'hill': 0.03}
    """
    return run(
        model, text, method_of(attention_row.__name__), {"layer": layer, "head": head, "query": query, **options}
    )
