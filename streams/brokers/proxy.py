"""A TCP proxy in front of a broker, whose network can be made slow, broken or silent on purpose.

It runs an event loop on a thread of its own. What is read on one side is written on the other, in its order; a delay
holds every piece back for as long as was drawn for it, so that bandwidth stays what it is.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from streams.brokers.ports import LOOPBACK
from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

_PIECE_BYTES = 65_536
_PIECES_MAX = 256
_CALL_S = 10.0
_RST = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST."""


@dataclass(slots=True, eq=False)
class _Pair:
    """A client's connection and the one to the broker."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter

    def end(self) -> None:
        """In order, on both sides: what was written still arrives."""
        for writer in (self.near, self.far):
            writer.close()

    def break_off(self) -> None:
        """By RST, on both sides."""
        for writer in (self.near, self.far):
            sock = writer.get_extra_info("socket")
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            writer.transport.abort()


class Proxy:
    """Listens on a free port of the loopback interface at once; passes on what comes when it knows its target."""

    def __init__(self) -> None:
        self._target: tuple[str, int] | None = None
        self._pairs: set[_Pair] = set()
        self._latency_s, self._jitter_s, self._rng = 0.0, 0.0, np.random.default_rng(0)
        self._refusing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker-proxy", daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.passed_bytes = 0
        """In both directions together."""

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"{LOOPBACK}:{self.port}"

    def lead_to(self, target: tuple[str, int]) -> None:
        """From now on pass connections on to this address."""
        self._target = target

    def delay(self, latency_ms: float, jitter_ms: float, seed: int) -> None:
        """Let every piece take `latency_ms` ± `jitter_ms` (uniform), each way."""

        def change() -> None:
            self._latency_s, self._jitter_s = latency_ms / 1e3, jitter_ms / 1e3
            self._rng = np.random.default_rng(seed)

        self._call(change)

    def refuse(self) -> None:
        """Break every connection now, by RST, and every new one at once, until healed."""

        def change() -> None:
            self._refusing = True
            self._break_all()

        self._call(change)

    def blackhole(self) -> None:
        """Pass nothing on, and keep the connections."""
        self._call(self._open_gate.clear)

    def heal(self) -> None:
        """As at first."""

        def change() -> None:
            self._latency_s = self._jitter_s = 0.0
            self._refusing = False
            self._open_gate.set()

        self._call(change)

    def close(self) -> None:
        """Break everything and end the thread. May be called twice."""
        if self._loop.is_closed():
            return
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_S)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_S)
        except (OSError, TimeoutError) as error:
            raise BrokerError(f"the proxy in front of the broker does not work: {error}") from error

    def _call(self, change: Callable[[], None]) -> None:
        async def work() -> None:
            change()

        self._do(work())

    async def _listen(self) -> asyncio.Server:
        self._open_gate = asyncio.Event()
        self._open_gate.set()
        return await asyncio.start_server(self._serve, LOOPBACK, 0)

    async def _end(self) -> None:
        self._server.close()
        self._open_gate.set()
        self._break_all()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _break_all(self) -> None:
        for pair in list(self._pairs):
            pair.break_off()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open_gate.wait()
        far = None if self._refusing or self._target is None else await self._reach(self._target)
        if far is None:
            _Pair(writer, writer).break_off()
            return
        far_reader, far_writer = far
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        for each in (writer, far_writer):
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        except EOFError:
            pair.end()
        except OSError as error:
            _log.debug("a proxied connection broke: %s", error)
            pair.break_off()
        finally:
            self._pairs.discard(pair)

    async def _reach(self, target: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_connection(*target)
        except OSError as error:
            _log.debug("the broker behind the proxy cannot be reached: %s", error)
            return None

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction: what is read waits in a queue until it is due."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PIECES_MAX)
        writing = asyncio.ensure_future(self._write(pieces, writer))
        try:
            while piece := await reader.read(_PIECE_BYTES):
                await pieces.put((self._loop.time() + self._drawn_s(), piece))
                if writing.done():
                    break
            await pieces.put((0.0, b""))
            await writing
        finally:
            writing.cancel()
        # one end closed: the other one is told, and closes its own way
        raise EOFError("closed")

    async def _write(self, pieces: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        while True:
            due_s, piece = await pieces.get()
            if not piece:
                return
            wait_s = due_s - self._loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self._open_gate.wait()
            writer.write(piece)
            self.passed_bytes += len(piece)
            await writer.drain()

    def _drawn_s(self) -> float:
        if self._latency_s == 0.0:
            return 0.0
        return max(0.0, self._latency_s + float(self._rng.uniform(-self._jitter_s, self._jitter_s)))
