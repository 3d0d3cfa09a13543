"""Finding and claiming TCP ports on this machine's loopback interface."""

import socket

from streams.errors import BrokerError

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on now. Another may take one before it is used: try again then."""
    sockets = []
    try:
        for _ in range(count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.bind((LOOPBACK, 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def require_free(port: int) -> None:
    """Raise `BrokerError` when something listens on `port` already, or it may not be used."""
    if not 1 <= port <= 65535:
        raise BrokerError(f"port {port} cannot be used: it must be from 1 to 65535")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((LOOPBACK, port))
        except OSError as error:
            raise BrokerError(
                f"port {port} on {LOOPBACK} cannot be used ({error.strerror}); stop what listens there, "
                "name another port, or leave it out to have a free one chosen"
            ) from error


def answers(host: str, port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts a TCP connection there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
