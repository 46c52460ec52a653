"""A live view: the playground's page in a cell, over a channel; what is seen is readable in Python and can be set."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError, MissingExtraError
from attnscope.serve import live as module

TEXT = "a b c d e f"


@pytest.fixture
def view() -> Iterator[Any]:
    made = ats.live(small("llama", sharp=2.0), TEXT)
    yield made
    made.close()


def answered(view: Any, **question: Any) -> list[tuple[str, Any]]:
    """What the view tells its page."""
    told: list[tuple[str, Any]] = []
    over = threading.Event()

    def send(message: dict[str, Any]) -> None:
        told.append((message["event"], json.loads(message["data"])))
        if message["event"] in ("over", "error"):
            over.set()

    view.send = send
    view._asked(view, {"id": 1, "question": json.dumps(question)}, [])
    assert over.wait(20)
    return told


def test_the_result_that_is_seen_is_readable(view: Any) -> None:
    assert view.result is None
    told = answered(view, ask="importance", text=TEXT, target=" g", method="deletion")
    assert [name for name, _ in told] == ["result", "over"]
    expected = ats.explain(view._session.worker("").model, TEXT, "deletion", target=" g")
    assert view.result.words == expected.words
    assert answered(view, ask="nothing") == [("error", answered(view, ask="nothing")[0][1])]


def test_the_selection_is_read_and_set(view: Any) -> None:
    assert view.selection == {"text": TEXT, "target": None, "method": "gradient", "panel": "importance", "word": -1}
    view.selection = {"method": "deletion", "word": 4}
    assert view.selection["method"] == "deletion"
    assert (view.selection["text"], view.selection["word"]) == (TEXT, 4)
    for wrong in ({"colour": 1}, {"method": "none"}, {"panel": "none"}, {"word": "d"}, {"text": 3}):
        with pytest.raises(InputError):
            view.selection = wrong


def test_what_is_not_set_stays_as_it_was(view: Any) -> None:
    chat = "kind=chat&parts=%5B%5D&theme=dark&gone=h1.2&target=+b&panel=without"
    view.fragment = f"text={TEXT}&{chat}"
    view.selection = {"method": "deletion"}
    for part in (*chat.split("&"), "method=deletion"):
        assert part in view.fragment.split("&")
    view.selection = {**view.selection, "target": None}
    assert "kind=chat" in view.fragment
    assert "target" not in view.fragment
    # Of another text, nothing is taken away yet.
    view.selection = {"text": "a b"}
    assert sorted(view.fragment.split("&")) == ["method=deletion", "panel=without", "text=a+b", "theme=dark"]
    assert view.selection == {"text": "a b", "target": None, "method": "deletion", "panel": "without", "word": -1}


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module._widget.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'attnscope\[notebook\]'"):
        ats.live(small("llama"), TEXT)
    module._widget.cache_clear()
