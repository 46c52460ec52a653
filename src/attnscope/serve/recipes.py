"""The Python and the command line that make what a page shows."""

import shlex
from typing import Any

from attnscope.serve.questions import Question


def recipe(model: str, question: Question) -> dict[str, str]:
    """Both, as texts to be copied. question.of: "importance", "maps" or "generate"."""
    return {"python": _python(model, question), "command": _command(model, question)}


def _parameters(question: Question) -> dict[str, Any]:
    """What `explain` takes beside the text."""
    target: dict[str, Any] = {"generate": 1} if question.target is None else {"target": question.target}
    if question.of == "generate":
        target |= {"per_token": True}
        target |= {"generate": question.count} if question.target is None else {}
    return target


def _python(model: str, question: Question) -> str:
    given = question.given
    name = "messages" if question.messages else "text"
    if question.of == "maps":
        call = f"ats.attention_maps(model, {name})"
    else:
        more = "".join(f", {key}={value!r}" for key, value in _parameters(question).items())
        call = f"ats.explain(model, {name}, {question.method!r}{more})"
    return (
        f"import attnscope as ats\n\nmodel = ats.load({model!r})\n{name} = {given!r}\nresult = {call}\n"
        f'ats.save(result, "page.html")\n'
    )


def _command(model: str, question: Question) -> str:
    words = ["attnscope", "maps" if question.of == "maps" else "explain"]
    if question.messages:
        words += ["--messages", "chat.json"]
    else:
        words += ["--", question.text] if question.text.startswith("-") else [question.text]
    options = ["--model", model]
    if question.of != "maps":
        options += ["--method", question.method]
        for key, value in _parameters(question).items():
            options += [f"--{key.replace('_', '-')}"] if value is True else [f"--{key}", str(value)]
    # Options go before a text that begins with a dash.
    return shlex.join([*words[:2], *options, "-o", "page.html", *words[2:]])
