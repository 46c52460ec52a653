"""A connection that asks nothing is closed after a while; uvicorn by itself waits for a first request for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """uvicorn's HTTP over one connection, whose head has to come within the time that a connection may be idle."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._head = self.loop.call_later(self.timeout_keep_alive, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._head.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """A whole head has come where a request is being answered."""
        super().handle_events()
        if self.cycle is not None:
            self._head.cancel()

    def _give_up(self, *_: Any) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()
