"""The routes: the page, whether we are here, and one for every question."""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from attnscope.errors import AttnscopeError
from attnscope.methods.table import METHODS
from attnscope.render.html.live.playground import playground_page
from attnscope.serve.answers import answered
from attnscope.serve.events import Channel, EventStream
from attnscope.serve.guard import Door, Guard
from attnscope.serve.jobs import BusyError
from attnscope.serve.questions import language_of, question
from attnscope.serve.session import Session
from attnscope.translation import LANGUAGES, translated

# Questions that are being answered at one time, by all pages together.
MAX_STREAMS = 100


def app(session: Session, door: Door, *, max_streams: int = MAX_STREAMS, lang: str | None = None) -> ASGIApp:
    """The playground of a session as an ASGI application, behind its door. lang: of its page; None: the browser's."""
    methods = [(row.name, row.unit) for row in METHODS.values()]
    pages = {each: playground_page(session.names, methods, lang=each) for each in (lang, *LANGUAGES)}
    policy = pages[lang][1]
    open_streams = 0

    def left() -> None:
        nonlocal open_streams
        open_streams -= 1

    async def index(request: Request) -> Response:
        wanted = request.query_params.get("lang")
        page, _ = pages[wanted if wanted in LANGUAGES else lang]
        return Response(page, media_type="text/html; charset=utf-8")

    async def here(_request: Request) -> Response:
        return Response(status_code=204)

    async def ask(request: Request) -> Response | EventStream:
        nonlocal open_streams
        given = None
        try:
            given = json.loads(await request.body())
            asked = question(given)
            if open_streams >= max_streams:
                raise BusyError("too many pages ask at once: try again in a moment")
            channel = Channel()
            job = answered(session, asked, channel.tell)
        except (AttnscopeError, ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, AttnscopeError) else "the question is not JSON"
            status = 503 if isinstance(error, BusyError) else 400
            return JSONResponse({"error": translated(reason, language_of(given))}, status)
        open_streams += 1
        return EventStream(channel, job, left)

    async def missing(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("there is nothing here\n", 404)

    routes = [
        Route("/", index),
        Route("/here", here),
        Route("/ask", ask, methods=["POST"]),
    ]
    inner = Starlette(routes=routes, exception_handlers={404: missing, 405: missing})
    return Guard(inner, door, policy)
