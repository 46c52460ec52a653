"""Steps pass through a bar unchanged; it is drawn on a terminal's standard error only."""

import sys

import pytest

from attnscope.models import progress as module
from attnscope.models.progress import bar, progress


def test_steps_pass_through_and_nothing_is_drawn_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(5), "steps", 5)) == [0, 1, 2, 3, 4]
    with bar("more steps", 3) as done:
        done(3)
    assert capfd.readouterr() == ("", "")


def test_every_step_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[str, object] = {}
    counted: list[int] = []

    class Bar:
        def __init__(self, **settings: object) -> None:
            shown.update(settings)

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            shown["closed"] = True

        def update(self, steps: int) -> None:
            counted.append(steps)

    monkeypatch.setattr(module, "tqdm", Bar)
    steps = progress("abc", "letters", 3)
    assert next(steps) == "a"
    assert counted == [], "a step counts when it is done"
    assert list(steps) == ["b", "c"]
    assert counted == [1, 1, 1]
    assert (shown["desc"], shown["total"], shown["closed"]) == ("letters", 3, True)


def test_a_notebook_has_a_bar_though_it_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Bar:
        def __init__(self, **settings: object) -> None:
            asked.append(settings["disable"])

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self, steps: int) -> None:
            pass

    monkeypatch.setattr(module, "tqdm", Bar)
    list(progress("a", "letters", 1))
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", module)
    list(progress("a", "letters", 1))
    assert asked == [None, False]
