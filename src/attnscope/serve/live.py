"""`ats.live`: the playground in a notebook's cell, over the notebook's own channel. It opens no port."""

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attnscope.errors import AttnscopeError, InputError, MissingExtraError
from attnscope.methods.table import METHODS
from attnscope.models.loading.load import load
from attnscope.render.html.bundle import script
from attnscope.render.html.live.playground import playground_page
from attnscope.results.attribution import Attribution
from attnscope.serve.answers import answered
from attnscope.serve.jobs import Job
from attnscope.serve.questions import language_of, question
from attnscope.serve.session import Session
from attnscope.translation import checked_language, translated

# What a view's state may be set to.
_SETTABLE = ("text", "target", "method", "panel", "word")
# What belongs to one text: of another, nothing of it is chosen.
_OF_TEXT = ("target", "word", "gone", "kind", "parts")
PANELS = ("importance", "attention", "without", "generate", "compare")


def live(model: Any, text: str = "", *, height: int = 900, lang: str | None = None, **selection: Any) -> Any:
    """A live view in a notebook's cell: type, click words, take them away, generate.

    model:     as for `explain`. text: what it begins with. height: of the cell, in pixels. lang: "en" or "ja"; by
               default what the browser wants.
    selection: what is chosen at the beginning, as in `view.selection`: target, method, panel ("importance",
               "attention", "without" or "generate") and word (the character at which a word begins).

    `view.selection` is what is seen now, as a dict, and may be set; `view.result` is the Attribution that is seen, or
    None before there is one. It works over the notebook's own channel, so also on remote machines. Raises
    MissingExtraError without the extra "notebook", InputError for a selection that there is not.

    >>> view = ats.live(model, "The capital of Japan is")
    >>> view.selection = {"method": "deletion"}
    >>> view.selection["method"]
    'deletion'
    """
    kind = _widget()
    if lang is not None:
        checked_language(lang)
    return kind(Session([load(model)]), height, {"text": text, **selection}, lang)


def _fragment(selection: dict[str, Any], before: str = "") -> str:
    """The state of the page, in which this has been chosen anew. Raises InputError for what cannot be chosen."""
    if unknown := [name for name in selection if name not in _SETTABLE]:
        raise InputError(f"a view has no {unknown[0]!r} to choose: it has {', '.join(_SETTABLE)}")
    wrong = [name for name in ("text", "target", "panel") if not isinstance(selection.get(name) or "", str)]
    if wrong or type(selection.get("word") or 0) is not int:
        raise InputError(f"{(wrong or ['word'])[0]}: the text, target and panel are strings, and word a whole number")
    if selection.get("panel", PANELS[0]) not in PANELS:
        raise InputError(f"there is no panel {selection['panel']!r}: choose from {', '.join(PANELS)}")
    if selection.get("method", "gradient") not in METHODS:
        raise InputError(f"there is no method {selection['method']!r}: choose from {', '.join(METHODS)}")
    kept = dict(parse_qsl(before))
    if (selection.get("text", kept.get("text")) or "") != kept.get("text", ""):
        kept = {name: value for name, value in kept.items() if name not in _OF_TEXT}
    return urlencode({name: value for name, value in {**kept, **selection}.items() if value not in (None, "")})


@cache
def _widget() -> Any:
    """The widget's class, made when it is first needed: anywidget is an extra."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise MissingExtraError(
            f"live views need {error.name}: pip install 'attnscope[notebook]'; without it, results draw as pages"
        ) from error

    class Live(anywidget.AnyWidget):
        """The playground of one model in a cell."""

        _esm = script("playground/widget.js") + "\nexport default { render: $widget.render };\n"
        page = traitlets.Unicode().tag(sync=True)
        fragment = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int(900).tag(sync=True)

        def __init__(self, session: Session, height: int, selection: dict[str, Any], lang: str | None) -> None:
            fragment = _fragment(selection)
            methods = [(row.name, row.unit) for row in METHODS.values()]
            page, _ = playground_page(session.names, methods, fragment=fragment, lang=lang)
            super().__init__(page=page.decode(), fragment=fragment, height=height)
            self._session = session
            self._jobs: dict[Any, Job] = {}
            self._seen: str | None = None
            self.on_msg(self._asked)

        @property
        def selection(self) -> dict[str, Any]:
            """What is seen: text, target, method, panel, and the character at which the clicked word begins."""
            chosen: dict[str, Any] = {"text": "", "target": "", "method": "gradient", "panel": "importance", "word": -1}
            given = dict(parse_qsl(self.fragment, keep_blank_values=True))
            chosen |= {name: value for name, value in given.items() if name in _SETTABLE}
            return {**chosen, "target": chosen["target"] or None, "word": int(chosen["word"])}

        @selection.setter
        def selection(self, changed: dict[str, Any]) -> None:
            self.fragment = _fragment(changed, self.fragment)

        @property
        def result(self) -> Attribution | None:
            """What is seen, as `explain` gives it."""
            return None if self._seen is None else Attribution.from_json(self._seen, "the view")

        def close(self) -> None:
            """End the view and its thread."""
            self._session.close()
            super().close()

        def _asked(self, _widget: Any, message: Any, _buffers: Any) -> None:
            number = message.get("id")
            if message.get("cancel"):
                if number in self._jobs:
                    self._jobs[number].cancel()
                return
            given = None
            try:
                given = json.loads(message["question"])
                asked = question(given)
                job = answered(self._session, asked, lambda event, data: self._told(number, asked.ask, event, data))
                self._jobs[number] = job
                if job.over.is_set():  # it was faster than this line
                    self._jobs.pop(number, None)
            except (ValueError, KeyError, RecursionError, AttnscopeError) as error:
                self._told(number, "", "error", translated(str(error), language_of(given)))

        def _told(self, number: Any, ask: str, event: str, data: Any) -> None:
            if ask == "importance" and event == "result" and "result" in data:
                self._seen = data["result"]
            if event == "over":
                self._jobs.pop(number, None)
            self.send({"id": number, "event": event, "data": json.dumps(data)})

    return Live
