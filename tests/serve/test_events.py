"""Events come whole and in order, and no text can end one or begin another."""

import asyncio
import json
import threading

from browsing import run_async

from attnscope.serve.events import Channel, EventStream, event
from attnscope.serve.jobs import Job

HOSTILE = "a\n\nevent: result\ndata: 1\r\n\u2028\ud800\0</script>"


def test_a_hostile_text_is_one_event() -> None:
    sent = event("token", {"text": HOSTILE})
    assert sent.count(b"\n") == 3
    assert sent.endswith(b"\n\n")
    assert b"\r" not in sent
    assert json.loads(sent.split(b"data: ", 1)[1])["text"] == HOSTILE


def stream(leaves: bool) -> tuple[list[dict[str, object]], Job, list[int]]:
    """What a response sends of three events, where the page leaves before them or stays."""
    sent: list[dict[str, object]] = []
    left: list[int] = []
    job = Job(0, 0, lambda _job: None, lambda *_: None)

    async def run() -> None:
        channel = Channel()

        def tell() -> None:
            for name in ("token", "result", "over"):
                channel.tell(name, 1)

        async def receive() -> dict[str, str]:
            if not leaves:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        if not leaves:
            threading.Thread(target=tell).start()
        await asyncio.wait_for(EventStream(channel, job, lambda: left.append(1))({}, receive, send), 20)

    run_async(run())
    return sent, job, left


def test_a_stream_ends_with_its_job() -> None:
    sent, _, left = stream(leaves=False)
    assert [message.get("body") for message in sent] == [None, event("token", 1), event("result", 1), b""]
    assert left == [1]


def test_a_page_that_leaves_cancels_its_job() -> None:
    _, job, left = stream(leaves=True)
    assert job.cancelled.is_set()
    assert left == [1]


def test_telling_a_server_that_has_stopped_does_nothing() -> None:
    async def made() -> Channel:
        return Channel()

    run_async(made()).tell("result", 1)
