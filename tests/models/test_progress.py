"""Steps pass through a bar unchanged; it is drawn on a terminal's standard error only."""

import logging
import sys
from itertools import count

import pytest

from attnscope.models import progress as module
from attnscope.models.progress import Pace, bar, long_run, progress, steps_heard


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


def test_in_a_notebook_a_bar_is_an_output_that_is_empty_when_it_is_done(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where what it counts ends in an error, and of a long run."""
    outputs: list[list[dict[str, str]]] = []

    class Output:
        def display(self, data: dict[str, str], raw: bool) -> None:
            assert raw
            self.shown = [data]
            outputs.append(self.shown)

        def update(self, data: dict[str, str], raw: bool) -> None:
            assert raw
            self.shown.append(data)

    monkeypatch.setattr("IPython.display.DisplayHandle", Output)
    seconds = count()
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(seconds)))
    list(progress("abcde", "letters", 5))
    assert outputs == [], "this is no notebook"
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", module)
    list(progress("abcde", "letters", 5))
    halves = progress(range(9), "halves", 9)
    assert [next(halves) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        halves.throw(KeyError)
    with long_run("texts", 9) as pace, bar("steps", 9) as step:
        for _ in range(5):
            step(1)
            pace.advance(1)
    assert [shown[0]["text/plain"].split(":")[0] for shown in outputs] == ["letters", "halves", "texts"]
    assert all(shown[-1] == {} for shown in outputs)
    monkeypatch.setattr("tqdm.std.time", lambda: 0.0)
    list(progress("abc", "letters", 3))
    assert len(outputs) == 3, "what is quick has none"
    assert capfd.readouterr() == ("", "")


def test_a_long_run_says_how_far_it_is(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    pace = Pace("texts", 10_000, lambda: now[0])
    with caplog.at_level(logging.INFO):
        pace.found_done(2000)
        now[0] = 10
        pace.advance(400)
        assert not caplog.messages, "a line every half minute"
        now[0] = 40
        pace.advance(1200)
    pace.close()
    assert caplog.messages == ["3,600 of 10,000 texts, 40 texts/s, 3 min left"]
    assert str(Pace("texts", None, lambda: now[0])) == "0 texts, 0 texts/s"


def test_the_steps_of_a_long_run_have_no_bars_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: list[object] = []

    class Bar:
        disable = True

        def __init__(self, disable: object, **_: object) -> None:
            hidden.append(disable)

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self, steps: int) -> None:
            pass

        def close(self) -> None:
            pass

    monkeypatch.setattr(module, "tqdm", Bar)
    with long_run("texts", 3), bar("steps", 3):
        pass
    with bar("steps", 3):
        pass
    assert hidden == [None, True, None]


def test_whoever_hears_of_the_steps_may_end_the_work(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[str, int, int]] = []
    with steps_heard(lambda *step: told.append(step)):
        assert list(progress("ab", "letters", 2)) == ["a", "b"]
    assert told == [("letters", 0, 2), ("letters", 1, 2), ("letters", 2, 2)]
    assert capfd.readouterr() == ("", "")

    def refuse(_what: str, done: int, _total: int) -> None:
        if done:
            raise KeyError

    taken = []
    with steps_heard(refuse), pytest.raises(KeyError):
        taken.extend(progress("abc", "letters", 3))
    with bar("nobody hears of these", 1) as done:
        done(1)
    assert len(told) == 3
