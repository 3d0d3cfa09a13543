"""The proxy in front of a broker passes everything on, and is slow, broken or silent when it is told to."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from streams.brokers.ports import LOOPBACK
from streams.brokers.proxy import Proxy


class Echo:
    """Sends back what it gets."""

    def __init__(self) -> None:
        self._socket = socket.create_server((LOOPBACK, 0))
        self.target = (LOOPBACK, self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while piece := connection.recv(65_536):
                    connection.sendall(piece)
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    echo = Echo()
    with Proxy() as made:
        made.lead_to(echo.target)
        yield made
    echo.close()


def reach(proxy: Proxy) -> socket.socket:
    connection = socket.create_connection((LOOPBACK, proxy.port), timeout=10)
    connection.settimeout(10)
    return connection


def exchange(connection: socket.socket, sent: bytes) -> bytes:
    threading.Thread(target=connection.sendall, args=(sent,), daemon=True).start()
    got = b""
    while len(got) < len(sent):
        got += connection.recv(1 << 20)
    return got


def test_everything_is_passed_on_in_its_order(proxy: Proxy) -> None:
    sent = bytes(range(256)) * 20_000
    with reach(proxy) as first, reach(proxy) as second:
        assert exchange(first, sent) == sent
        assert exchange(second, b"x") == b"x"
    assert proxy.passed_bytes >= 2 * len(sent)


def test_a_client_that_closes_closes_the_other_side(proxy: Proxy) -> None:
    with reach(proxy) as connection:
        assert exchange(connection, b"x") == b"x"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_what_is_delayed_comes_later_whole_and_in_order(proxy: Proxy) -> None:
    sent = bytes(range(256)) * 2_000
    with reach(proxy) as connection:
        assert exchange(connection, b"warm") == b"warm"
        begun = time.monotonic()
        assert exchange(connection, b"x") == b"x"
        plain_s = time.monotonic() - begun
        proxy.delay(100.0, 50.0, seed=3)
        begun = time.monotonic()
        assert exchange(connection, sent) == sent
        assert time.monotonic() - begun > plain_s + 2 * 0.05  # both ways, at least the mean less the jitter
        proxy.heal()
        assert exchange(connection, sent) == sent


def test_refusing_breaks_what_is_there_and_what_comes(proxy: Proxy) -> None:
    with reach(proxy) as connection:
        assert exchange(connection, b"x") == b"x"
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionResetError), reach(proxy) as later:
        later.recv(1)
    proxy.heal()
    with reach(proxy) as healed:
        assert exchange(healed, b"z") == b"z"


def test_a_blackhole_holds_everything_back_and_nothing_is_lost(proxy: Proxy) -> None:
    with reach(proxy) as connection:
        assert exchange(connection, b"x") == b"x"
        proxy.blackhole()
        before = proxy.passed_bytes
        connection.sendall(b"swallowed")
        with reach(proxy) as later:
            later.sendall(b"new")
            connection.settimeout(0.2)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            assert proxy.passed_bytes == before
            proxy.heal()
            connection.settimeout(10)
            assert connection.recv(100) == b"swallowed"
            assert later.recv(100) == b"new"


def test_without_a_target_connections_break() -> None:
    with Proxy() as proxy, pytest.raises(ConnectionResetError), reach(proxy) as connection:
        connection.recv(1)


def test_closing_twice_is_closing_once() -> None:
    proxy = Proxy()
    proxy.close()
    proxy.close()
