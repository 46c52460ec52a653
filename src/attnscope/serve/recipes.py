"""The Python and the command line that make what a page shows."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attnscope.models.inputs.encode import Encoded
from attnscope.serve.questions import Question

Edges = Sequence[tuple[int, int]]
_SAVED = 'ats.save(result, "page.html")'


def recipe(model: str, question: Question, edges: Edges = (), words: Sequence[int] = ()) -> dict[str, str]:
    """Both, as texts to be copied. question.of: "importance", "maps", "generate", "without" or "compare".

    edges: the tokens (query, key) of the question's edges. words: the tokens of what it leaves out.
    """
    parts = _Parts([(layer, head) for layer, head in question.heads], list(edges), list(words))
    return {"python": _python(model, question, parts), "command": _command(model, question, parts)}


@dataclass(frozen=True)
class _Parts:
    """What is taken away: pairs (layer, head), pairs of tokens, tokens."""

    heads: list[tuple[int, int]]
    edges: list[tuple[int, int]]
    words: list[int]


def tokens_in(encoded: Encoded, start: int, end: int) -> list[int]:
    """The tokens that touch these characters."""
    return [i for i, t in enumerate(encoded.tokens) if not t.special and t.start < end and start < t.end]


def token_edges(encoded: Encoded, edges: Sequence[Sequence[int]], ahead: bool) -> list[tuple[int, int]]:
    """The tokens (query, key) of edges that are given as characters. ahead: tokens attend to those after them too."""
    return [
        (q, k)
        for a, b, c, d in edges
        for q in tokens_in(encoded, a, b)
        for k in tokens_in(encoded, c, d)
        if ahead or k <= q
    ]


def token_words(encoded: Encoded, removed: Sequence[Sequence[int]]) -> list[int]:
    """The tokens of what is left out, which is given as characters."""
    return sorted({token for start, end in removed for token in tokens_in(encoded, start, end)})


def taken_target(question: Question) -> dict[str, Any]:
    """What `explain` and `knock_out` take as the target."""
    return {"generate": 1} if question.target is None else {"target": question.target}


def _knocks_out(question: Question) -> bool:
    return question.of == "without" and bool(question.heads or question.edges or question.removed)


def _method(question: Question) -> str:
    return "deletion" if question.of == "without" else question.method


def _parameters(question: Question, parts: _Parts) -> dict[str, Any]:
    """What the call takes beside the text."""
    target = taken_target(question)
    if question.of == "generate":
        return {"per_token": True, **({"generate": question.count} if question.target is None else target)}
    if _knocks_out(question):
        taken = {"heads": parts.heads, "edges": parts.edges, "words": parts.words}
        chosen = target | {name: part for name, part in taken.items() if part}
        return chosen | ({"replacement": "delete"} if parts.words else {})
    return target


def _python(model: str, question: Question, parts: _Parts) -> str:
    name = "messages" if question.messages else "text"
    lines = ["import attnscope as ats", "", f"model = ats.load({model!r})", f"{name} = {question.given!r}"]
    more = "".join(f", {key}={value!r}" for key, value in _parameters(question, parts).items())
    if question.of == "compare":
        lines += _two(question, name, more)
    elif question.of == "maps":
        lines += [f"result = ats.attention_maps(model, {name})", _SAVED]
    elif _knocks_out(question):
        lines += [f"result = ats.knock_out(model, {name}{more})", _SAVED]
    else:
        lines += [f"result = ats.explain(model, {name}, {_method(question)!r}{more})", _SAVED]
    return "\n".join(lines) + "\n"


def _two(question: Question, name: str, more: str) -> list[str]:
    """Two texts or models are compared; two methods are explained one after the other."""
    if question.versus == "method":
        return [
            f'ats.save(ats.explain(model, {name}, {method!r}{more}), "{side}.html")'
            for method, side in ((question.method, "left"), (question.other, "right"))
        ]
    of_model = question.versus == "model"
    other = f"ats.load({question.other!r})" if of_model else repr(question.other)
    given = "other=other" if of_model else "other"
    call = f"result = ats.compare(model, {name}, {given}, method={question.method!r}{more})"
    return [f"other = {other}", call, _SAVED]


def _command(model: str, question: Question, parts: _Parts) -> str:
    given = _parameters(question, parts)
    if question.of == "maps":
        return _line(model, question, "maps", {})
    if question.of == "compare":
        return _command_of_two(model, question, given)
    if _knocks_out(question):
        taken: dict[str, Any] = {
            "head": [f"{layer}.{head}" for layer, head in parts.heads],
            "edge": [f"{q}>{k}" for q, k in parts.edges],
            "word": parts.words,
        }
        if parts.words:
            taken["replacement"] = "delete"
        return _line(model, question, "knock-out", {**taken_target(question), **taken})
    return _line(model, question, "explain", {"method": _method(question), **given})


def _command_of_two(model: str, question: Question, given: dict[str, Any]) -> str:
    if question.versus == "method":
        return "\n".join(
            _line(model, question, "explain", {"method": method, **given}, output=f"{side}.html")
            for method, side in ((question.method, "left"), (question.other, "right"))
        )
    of_model = question.versus == "model"
    options = {"method": question.method, "set": [f"{key}={value}" for key, value in given.items()]}
    return _line(
        model, question, "compare", {**options, **({"other": question.other} if of_model else {})},
        more=() if of_model else (question.other,),
    )  # fmt: skip


def _line(
    model: str,
    question: Question,
    command: str,
    parameters: dict[str, Any],
    *,
    output: str = "page.html",
    more: Sequence[str] = (),
) -> str:
    options = ["--model", model]
    for key, value in parameters.items():
        for each in value if isinstance(value, list) else [value]:
            option = f"--{key.replace('_', '-')}"
            options += [option] if each is True else [option, str(each)]
    texts = ["--messages", "chat.json"] if question.messages else [question.text, *more]
    # Options go before a text that begins with a dash.
    dashed = ["--"] if not question.messages and any(text.startswith("-") for text in texts) else []
    return shlex.join(["attnscope", command, *options, "-o", output, *dashed, *texts])
