"""One after the other, what is looked at first; what nobody waits for does not run."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tiny_models import small

from attnscope.errors import InputError
from attnscope.models.progress import bar
from attnscope.serve.jobs import BusyError, Job, Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(small("llama"), waiting=4)
    yield made
    made.close()


class Heard:
    """What was told, and a wait for the end."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.over = threading.Event()

    def __call__(self, name: str, data: Any) -> None:
        self.told.append((name, data))
        if name == "over":
            self.over.set()

    def all(self) -> list[tuple[str, Any]]:
        assert self.over.wait(20)
        return self.told


def blocked(worker: Worker) -> tuple[threading.Event, Heard]:
    """The worker is at work until the event is set."""
    begun, end, heard = threading.Event(), threading.Event(), Heard()

    def work(_job: Job) -> str:
        begun.set()
        assert end.wait(20)
        return "done"

    worker.submit(work, heard)
    assert begun.wait(20)
    return end, heard


def test_the_result_is_told_and_then_the_end(worker: Worker) -> None:
    heard = Heard()
    worker.submit(lambda _job: 3, heard)
    assert heard.all() == [("result", 3), ("over", None)]


def test_an_error_is_one_line_without_the_text_and_the_worker_goes_on(worker: Worker) -> None:
    def refuse(_job: Job) -> None:
        raise InputError("give\nless")

    def fail(_job: Job) -> None:
        raise KeyError("a secret text")

    heard = [Heard(), Heard(), Heard()]
    for work, each in zip((refuse, fail, lambda _job: 1), heard, strict=True):
        worker.submit(work, each)
    assert heard[0].all()[0] == ("error", "give less")
    name, said = heard[1].all()[0]
    assert name == "error"
    assert "secret" not in said
    assert heard[2].all()[0] == ("result", 1)


def test_the_lowest_priority_comes_first_and_equals_in_their_order(worker: Worker) -> None:
    end, _ = blocked(worker)
    order: list[str] = []
    heard = []
    for name, priority in (("late", 3), ("first", 0), ("second", 0), ("middle", 1)):
        heard.append(Heard())
        worker.submit(lambda _job, name=name: order.append(name), heard[-1], priority=priority)
    end.set()
    for each in heard:
        each.all()
    assert order == ["first", "second", "middle", "late"]


def test_a_newer_job_takes_the_place_of_an_older_one_of_its_slot(worker: Worker) -> None:
    end, _ = blocked(worker)
    old, new, other = Heard(), Heard(), Heard()
    worker.submit(lambda _job: "old", old, slot=("page", "importance"))
    worker.submit(lambda _job: "other", other, slot=("another page", "importance"))
    worker.submit(lambda _job: "new", new, slot=("page", "importance"))
    end.set()
    assert old.all() == [("over", None)]
    assert new.all()[0] == ("result", "new")
    assert other.all()[0] == ("result", "other")


def test_a_job_that_runs_is_cancelled_at_its_next_step(worker: Worker) -> None:
    heard, begun, go = Heard(), threading.Event(), threading.Event()

    def work(_job: Job) -> None:
        with bar("steps", 100) as done:
            begun.set()
            assert go.wait(20)
            for _ in range(100):
                done(1)
            pytest.fail("it was not cancelled")

    job = worker.submit(work, heard)
    assert begun.wait(20)
    job.cancel()
    go.set()
    assert heard.all() == [("over", None)]


def test_too_many_are_refused_and_cancelled_ones_do_not_count(worker: Worker) -> None:
    end, _ = blocked(worker)
    waiting = [worker.submit(lambda _job: None, Heard()) for _ in range(4)]
    with pytest.raises(BusyError, match="busy"):
        worker.submit(lambda _job: None, Heard())
    waiting[2].cancel()
    last = Heard()
    worker.submit(lambda _job: "in", last)
    end.set()
    assert last.all()[0] == ("result", "in")


def test_progress_is_told_with_the_time_that_is_left(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("attnscope.serve.jobs.monotonic", lambda: float(next(clock)))
    heard = Heard()

    def work(_job: Job) -> None:
        with bar("passes", 3) as done:
            for _ in range(3):
                done(1)

    worker.submit(work, heard)
    steps = [data for name, data in heard.all() if name == "progress"]
    assert [(step["what"], step["done"], step["total"], step["left"]) for step in steps] == [
        ("passes", 1, 3, 2.0),
        ("passes", 2, 3, 1.0),
    ]


def test_closing_drops_what_waits() -> None:
    worker = Worker(small("llama"))
    end, running = blocked(worker)
    waiting = Heard()
    worker.submit(lambda _job: 1, waiting)
    threading.Timer(0.05, end.set).start()
    worker.close()
    assert waiting.all() == [("over", None)]
    assert running.all()[-1] == ("over", None)
    with pytest.raises(BusyError):
        worker.submit(lambda _job: 1, Heard())


def test_the_order_outlives_a_refusal(worker: Worker) -> None:
    """What was cancelled leaves the queue, also where what came for its place is refused."""
    end, first = blocked(worker)
    done: list[int] = []
    waiting = [worker.submit(lambda _j, p=p: done.append(p), Heard(), priority=p) for p in (0, 3, 1, 4)]
    waiting[0].cancel()
    heard = Heard()
    worker.submit(lambda _job: done.append(5), heard, priority=5)
    with pytest.raises(BusyError):
        worker.submit(lambda _job: None, Heard())
    end.set()
    heard.all()
    assert done == [1, 3, 4, 5]
    first.all()
