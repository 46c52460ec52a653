"""One queue and one thread for each model: what is being looked at comes first, and what nobody waits for is dropped.

A job is cancelled in the queue, between two layers of a pass, or between two steps of a method.
"""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

from attnscope.errors import AttnscopeError
from attnscope.methods.calls.advice import without_advice
from attnscope.models.hooks import Interrupted, interruptible
from attnscope.models.loading.load import Model
from attnscope.models.progress import steps_heard

# Tells whoever asked: the name of an event, and its data.
Tell = Callable[[str, Any], None]
# Jobs that wait for one model.
WAITING = 128
# Seconds between two words on how far a job is.
_OFTEN = 0.2


class BusyError(AttnscopeError):
    """More is asked of a model than it can be asked at a time."""


@dataclass(order=True)
class Job:
    """Something to do, and whom to tell. priority: the lowest is done first; of equals, the first that came.

    slot: a newer job of the same slot takes the place of an older one; None where each is wanted.
    """

    priority: int
    number: int
    work: Callable[["Job"], Any] = field(compare=False)
    tell: Tell = field(compare=False)
    slot: tuple[str, ...] | None = field(compare=False, default=None)
    cancelled: threading.Event = field(compare=False, default_factory=threading.Event)
    over: threading.Event = field(compare=False, default_factory=threading.Event)

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.cancelled.set()

    def check(self) -> None:
        """Raises Interrupted where nobody waits for it any more."""
        if self.cancelled.is_set():
            raise Interrupted


class Worker:
    """The thread that runs one model."""

    def __init__(self, model: Model, waiting: int = WAITING) -> None:
        self.model, self.waiting = model, waiting
        self._queue: list[Job] = []
        self._slots: dict[tuple[str, ...], Job] = {}
        self._numbers = count()
        self._change = threading.Condition()
        self._closed = False
        self._now: Job | None = None
        self._thread = threading.Thread(target=self._run, name=f"model {model.name}", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[[Job], Any], tell: Tell, *, priority: int = 0, slot: tuple[str, ...] | None = None
    ) -> Job:
        """Put work into the queue. Its result is told as the event "result", its error as "error".

        Raises BusyError where too many wait already.
        """
        with self._change:
            job = Job(priority, next(self._numbers), work, tell, slot)
            if slot is not None:
                if slot in self._slots:
                    self._slots[slot].cancel()
                self._slots[slot] = job
            self._queue = [waiting for waiting in self._queue if not self._dropped(waiting)]
            heapq.heapify(self._queue)
            if len(self._queue) >= self.waiting or self._closed:
                self._forget(job)
                raise BusyError("the model is busy with what others asked: try again in a moment")
            heapq.heappush(self._queue, job)
            self._change.notify()
        return job

    def close(self) -> None:
        """End the thread; what waits is dropped."""
        with self._change:
            self._closed = True
            for job in (*self._queue, *([self._now] if self._now else [])):
                job.cancel()
            self._change.notify()
        self._thread.join(10)

    def _dropped(self, job: Job) -> bool:
        if not job.cancelled.is_set():
            return False
        self._end(job)
        return True

    def _end(self, job: Job) -> None:
        self._forget(job)
        job.over.set()
        job.tell("over", None)

    def _forget(self, job: Job) -> None:
        if job.slot is not None and self._slots.get(job.slot) is job:
            del self._slots[job.slot]

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._queue and not self._closed:
                    self._change.wait()
                if self._closed:
                    for job in self._queue:
                        self._end(job)
                    return
                self._now = job = heapq.heappop(self._queue)
            try:
                if not job.cancelled.is_set():
                    self._do(job)
            finally:
                with self._change:
                    self._now = None
                    self._end(job)

    def _do(self, job: Job) -> None:
        try:
            with steps_heard(_progress(job)), interruptible(self.model.model, job.check), without_advice():
                result = job.work(job)
            job.tell("result", result)
        except Interrupted:
            return
        except AttnscopeError as error:
            job.tell("error", " ".join(str(error).split()))
        except Exception as error:
            # Its message may hold the text, and what is told here may be written somewhere.
            job.tell("error", f"{type(error).__name__}: this should not happen; the command line says more")


def _progress(job: Job) -> Callable[[str, int, int], None]:
    """Tells of the steps of a job that takes a while: what, how many of how many, and the seconds that are left."""
    begun = said = monotonic()

    def hear(what: str, done: int, total: int) -> None:
        nonlocal begun, said
        job.check()
        now = monotonic()
        if not done:
            begun = now
        elif done < total and now - said > _OFTEN:
            said = now
            job.tell(
                "progress", {"what": what, "done": done, "total": total, "left": (now - begun) / done * (total - done)}
            )

    return hear
