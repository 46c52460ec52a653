"""Server-sent events: what a job tells, on its way from the model's thread to a page that may have gone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from attnscope.serve.jobs import Job

# A page whose connection has silently gone is found out by writing to it, every so many seconds.
BEAT = 15.0
# The last event of a job.
OVER = "over"


def event(name: str, data: Any) -> bytes:
    """One event. JSON has no line breaks of its own, so that no text can end the event or begin another."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Channel:
    """Events from another thread, in their order."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def tell(self, name: str, data: Any) -> None:
        """Called from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, (name, data))
        except RuntimeError:
            return  # the server has stopped, and nobody listens

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                name, data = await asyncio.wait_for(self._events.get(), BEAT)
            except TimeoutError:
                yield b":\n\n"
                continue
            if name == OVER:
                return
            yield event(name, data)


class EventStream:
    """The response to a question: what a job tells a channel. The job is cancelled when the page goes away.

    left: called when the response is over.
    """

    def __init__(self, channel: Channel, job: Job, left: Callable[[], None]) -> None:
        self.channel, self.job, self.left = channel, job, left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until the job is over or the page has gone."""
        del scope
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
        writing = asyncio.create_task(self._write(self.channel, headers, send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.job.cancel()
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)
            self.left()

    @staticmethod
    async def _write(channel: Channel, headers: list[tuple[bytes, bytes]], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for part in channel:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
