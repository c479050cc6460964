"""Has BentoML end the front before the models that it asks, and in time.

BentoML's supervisor takes the models' sockets away when it is told to end, and then ends all
processes at once: what is in work at the front finds no model any more. It keeps the front's own
socket open to the last, and so do the models, which inherit it: who comes meanwhile is connected
and never answered. There is no setting for either, so in the supervisor's process its class is
replaced by one that differs in this alone.

The front's HTTP server waits for its connections to close, without end if a client doesn't read its
answer. There is an option for that, but it would have to follow a setting wherever a front is
started, so it is added here.
"""

import asyncio
from functools import partial
from typing import Any

from bentoml._internal.utils import circus
from circus.exc import ConflictError
from circus.watcher import Watcher

_FRONT = "service"  # BentoML's name of what watches over the entry service; others have a suffix.
_LISTENER = "_bento_api_server"  # BentoML's name of the front's socket.
_LIMIT = "--timeout-graceful-shutdown"  # Of BentoML's HTTP server; in whole seconds.
_AGAIN_SECONDS = 0.1


class OrderlyArbiter(circus.Arbiter):
    """Takes no more connections, ends the front, and all else once it has ended."""

    def __init__(self, front_seconds: int, /, *args: Any, **options: Any) -> None:  # noqa: ANN401  # passed on
        """See the class of BentoML's; the front's connections have so many seconds to close."""
        super().__init__(*args, **options)
        self._end: asyncio.Future[None] | None = None
        for watcher in self.iter_watchers():
            watcher.hooks["before_spawn"] = self._give_the_front_its_socket
            if watcher.name == _FRONT and _LIMIT not in watcher.args:
                watcher.args = [*watcher.args, _LIMIT, str(front_seconds)]

    def _give_the_front_its_socket(self, watcher: Watcher, **_: object) -> bool:
        """Have a process that is about to begin inherit the front's socket, or not."""
        for name, listener in self.sockets.items():
            if name == _LISTENER:
                listener.set_inheritable(watcher.name == _FRONT)
        return True

    def stop(self) -> "asyncio.Future[None]":  # type: ignore[override]  # as circus does
        """Begin to end, once, however often it is asked; the result is there when all have."""
        if self._end is None:
            self._end = asyncio.ensure_future(self._stop_in_order())
        return self._end

    async def _stop_in_order(self) -> None:
        # A round of looking after processes would start the front again, or end all with an error.
        self._stopping = True
        # The front has its own copy, and closes that when it takes no more.
        for name, listener in self.sockets.items():
            if name == _LISTENER:
                listener.close()
        for watcher in self.iter_watchers():
            if watcher.name == _FRONT:
                await watcher._stop(close_output_streams=True)
        while True:
            try:
                await super().stop()  # type: ignore[misc]  # as above
            except ConflictError:
                # Such a round is under way, and waits for a process to start.
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return


def end_front_first(front_seconds: int) -> None:
    """Have the supervisor that this process becomes end its processes in order.

    Args:
        front_seconds: for which the front waits for its connections to close once it is told to
            end, unless BentoML was given another limit.
    """
    circus.Arbiter = partial(OrderlyArbiter, front_seconds)  # type: ignore[misc, assignment]  # where BentoML looks it up
