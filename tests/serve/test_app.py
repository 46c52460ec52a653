"""The playground over HTTP: what is let in, what is not, and how it holds under many pages at once."""

import gc
import json
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from browsing import Served, events
from hostile_results import HOSTILE

from attnscope.serve import answers
from attnscope.serve.answers import Answer
from attnscope.serve.jobs import Job

TEXT = "a b c d e"


def test_the_address_leads_to_the_page_and_the_token_into_a_cookie(served: Served) -> None:
    asked = served.send(path=f"/?token={served.door.token}", Cookie=None, Origin=None)
    assert (asked.status, asked.getheader("location")) == (303, "/")
    assert "HttpOnly" in str(asked.getheader("set-cookie"))
    page = served.send(Origin=None)
    assert page.status == 200
    assert b"Playground" in page.read_body  # type: ignore[attr-defined]
    policy = str(page.getheader("content-security-policy"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Cookie": None}, 403),
        ({"Origin": None}, 403),
    ],
)
def test_nobody_else_comes_in(served: Served, headers: dict[str, Any], status: int) -> None:
    answer = served.send("POST", "/ask", b"{}", **headers)
    assert answer.status == status
    assert answer.read_body.count(b"\n") == 1  # type: ignore[attr-defined]


def test_a_body_of_a_hundred_megabytes_is_refused_before_it_is_read(served: Served) -> None:
    with served.connect().sock or socket.create_connection(("127.0.0.1", served.port), 20) as raw:
        head = "".join(f"{name}: {value}\r\n" for name, value in served.own().items())
        raw.sendall(f"POST /ask HTTP/1.1\r\n{head}Content-Length: 104857600\r\n\r\n".encode() + b"x" * 1000)
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", served.port), 20) as raw:
        raw.sendall(f"POST /ask HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with pytest.raises((ConnectionError, AssertionError)):  # noqa: PT012 -- the server may answer before it hangs up
            for _ in range(1600):
                raw.sendall(piece)
            raise AssertionError(raw.recv(100))


def test_ten_thousand_tokens_are_refused_in_one_line(served: Served) -> None:
    name, said = served.ask(ask="importance", text="a " * 10_000)[-1]
    assert name == "error"
    assert "10000 tokens" in said
    assert served.answer(ask="importance", text=TEXT)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b'{"ask":"eval"}',
        b"\xff",
        b"[" * 100_000,
        b'{"ask":"x","\\ud800":1}',
        b'{"ask":"\\ud800"}',
        b'{"ask":"maps","model":"\\ud800"}',
    ],
    ids=range(10),
)  # fmt: skip)
def test_what_is_no_question_is_refused_in_one_line(served: Served, body: bytes) -> None:
    answer = served.send("POST", "/ask", body)
    assert answer.status == 400
    said = json.loads(answer.read_body)["error"]  # type: ignore[attr-defined]
    assert said
    assert "\n" not in said
    assert "Traceback" not in said
    assert served.send("GET", "/../etc/passwd").status == 404


def test_maps_come_one_by_one(served: Served) -> None:
    manifest = served.answer(ask="maps", text=TEXT)["manifest"]
    assert (len(manifest["layers"]), len(manifest["heads"])) == (3, 4)
    assert served.answer(ask="outlines", text=TEXT)["stream"]
    assert served.answer(ask="map", text=TEXT, layer=2, head=3)["stream"]
    assert "out of range" in served.ask(ask="map", text=TEXT, layer=99)[-1][1]


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if text.strip()])
def test_hostile_texts_go_through_or_are_refused_in_one_line(served: Served, hostile: str) -> None:
    for ask in ("importance", "maps", "without", "code"):
        name, data = served.ask(ask=ask, text=f"a b {hostile} c", target=" d")[-1]
        assert name in ("result", "error"), data
        assert name == "result" or "this should not happen" not in data, data


def waiting(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Semaphore, list[str]]:
    """A question "wait" that goes on until it is cancelled; how many have begun, and which were cancelled."""
    begun, ended = threading.Semaphore(0), []

    def wait(_session: Any, _model: Any, question: Any, job: Job) -> str:
        begun.release()
        for _ in range(2000):
            if job.cancelled.is_set():
                ended.append(question.text)
            job.check()
            time.sleep(0.01)
        return "nobody came"

    monkeypatch.setattr(answers, "ANSWERS", {**answers.ANSWERS, "wait": Answer(wait)})
    return begun, ended


def test_a_client_gone_in_the_middle_frees_the_model(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = waiting(monkeypatch)
    connection = served.connect()
    connection.request("POST", "/ask", json.dumps({"ask": "wait", "text": "gone"}).encode(), served.own())
    assert begun.acquire(timeout=20)
    connection.close()
    assert served.answer(ask="importance", text=TEXT)
    assert ended == ["gone"]


def test_of_two_tabs_each_cancels_its_own_older_question_alone(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = waiting(monkeypatch)
    connection = served.connect()
    older = {"ask": "wait", "text": "older", "client": "one", "slot": "importance"}
    connection.request("POST", "/ask", json.dumps(older).encode(), served.own())
    assert begun.acquire(timeout=20)
    with ThreadPoolExecutor() as pool:
        other = pool.submit(served.answer, ask="importance", text="a c", client="two", slot="importance")
        same = served.answer(ask="importance", text=TEXT, client="one", slot="importance")
        assert other.result(20)["result"]
    assert same["result"]
    assert ended == ["older"]
    assert events(connection.getresponse().read()) == []
    connection.close()


def test_connections_that_ask_nothing_keep_nobody_out(served: Served) -> None:
    idle = [socket.create_connection(("127.0.0.1", served.port), 20) for _ in range(100)]
    try:
        for half in idle[::2]:
            half.sendall(b"POST /ask HTTP/1.1\r\nHost:")
        assert served.answer(ask="importance", text=TEXT)
    finally:
        for half in idle:
            half.close()


def test_fifty_pages_at_once_are_all_served(served: Served) -> None:
    def one(page: int) -> str:
        text = " ".join("abcdefgh"[(page + i) % 8] for i in range(6))
        answer = served.answer(ask="importance", text=text, client=str(page), slot="importance")
        return str(json.loads(answer["result"])["text"])

    with ThreadPoolExecutor(50) as pool:
        texts = list(pool.map(one, range(50)))
    assert [text.split()[0] for text in texts] == ["abcdefgh"[page % 8] for page in range(50)]


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_questions(served: Served, count: int) -> None:
    def some(first: int, last: int) -> None:
        for i in range(first, last):
            text = f"{'abcdefgh'[i % 8]} b {'abcdefgh'[i // 8 % 8]} {'abcdefgh'[i // 64 % 8]} d"
            served.answer(ask=("importance", "without", "maps")[i % 3], text=text)

    budget, served.session.kept.budget = served.session.kept.budget, 20_000
    tracemalloc.start()
    try:
        some(0, 12)
        gc.collect()  # what waits to be collected is no growth
        before, _ = tracemalloc.get_traced_memory()
        some(12, 12 + count)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        served.session.kept.budget = budget
    assert after - before < 400_000, f"{after - before:,} bytes more after {count} questions"
    assert served.session.kept.bytes <= 20_000


def test_nothing_of_the_text_is_written_anywhere(
    served: Served, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0):
        served.ask(ask="importance", text="secret words a b", target=" c")
        served.ask(ask="importance", text="secret words", method="nothing")
        served.send("GET", "/secret")
    out, err = capfd.readouterr()
    assert "secret" not in out + err + caplog.text


def test_the_page_and_what_is_refused_are_in_the_language_that_is_asked_for(served: Served) -> None:
    for path, said in (("/?lang=ja", "プレイグラウンド"), ("/?lang=en", "Playground"), ("/?lang=tlh", "Playground")):
        page = served.send(path=path, Origin=None)
        assert f"<h1>{said}</h1>" in page.read_body.decode()  # type: ignore[attr-defined]
    question = {"ask": "importance", "text": TEXT, "method": "no-such", "lang": "ja"}
    (refused,) = served.ask(**question)
    assert refused[1].startswith("手法 'no-such' はありません。選べるもの：")
    (failed,) = served.ask(**{**question, "method": "gradient", "text": ""})
    assert failed == ("error", "テキストが空です。単語を 1 つ以上入れてください")
    assert served.ask(**{**question, "lang": "tlh"})[0][1].startswith("lang is none of")
    strange = served.send(Cookie=None, Origin=None, **{"Accept-Language": "ja,en;q=0.5"})
    assert strange.read_body.decode().startswith("トークンがありません。")  # type: ignore[attr-defined]


def test_what_a_job_tells_is_said_in_the_language_of_its_question(served: Served) -> None:
    for lang, title in (("ja", "gradient による重要度"), ("en", "Importance by gradient")):
        answer = served.answer(ask="importance", text=TEXT, method="gradient", lang=lang)
        assert answer["shown"]["title"] == title
        maps = served.answer(ask="maps", text=TEXT, lang=lang)
        assert ("アテンション" in maps["manifest"]["title"]) == (lang == "ja")
    assert answers.said("progress", {"what": "layers", "done": 1}, "ja") == {"what": "層", "done": 1}
