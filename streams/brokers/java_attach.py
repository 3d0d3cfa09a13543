"""Tells a Java process of ours to collect its garbage, as `jcmd PID GC.run` does, which not every Java comes with.

HotSpot's attach mechanism on Linux (`attachListener_linux.cpp` of OpenJDK): a file `.attach_pidPID` in the process's
working directory and a SIGQUIT make it listen at `/tmp/.java_pidPID`, where it takes a protocol version, a command and
three arguments, each ended by a zero byte, and answers with a status line.
"""

import os
import signal
import socket
import time
from pathlib import Path

from streams.errors import BrokerError

LISTENS_WITHIN_S = 2.0
ANSWERS_WITHIN_S = 10.0
LOOK_EVERY_S = 0.005
_COLLECT = b"1\0jcmd\0GC.run\0\0\0"


def collect_garbage(pid: int) -> None:
    """Return when a full collection of the Java process `pid` (of the same user) is over.

    Raises `BrokerError` when it does not listen or does not do as it is told. Never call it for a process that is no
    HotSpot: the signal would end it.
    """
    try:
        said = _ask(_listening(pid), _COLLECT)
    except OSError as error:
        raise BrokerError(f"Java process {pid} cannot be told to collect its garbage: {error}") from error
    if not said.startswith(b"0\n"):
        words = said.decode("utf-8", "replace").strip()
        raise BrokerError(f"Java process {pid} did not collect its garbage: {words or 'no answer'}")


def _listening(pid: int) -> Path:
    """Where the process listens; it is told to if it does not yet."""
    address = Path(f"/tmp/.java_pid{pid}")  # noqa: S108 (Java's own choice, whatever its java.io.tmpdir is)
    if address.is_socket():
        return address
    asking = Path(f"/proc/{pid}/cwd/.attach_pid{pid}")
    asking.touch(0o600)
    try:
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + LISTENS_WITHIN_S
        while not address.is_socket():
            if time.monotonic() > until:
                raise BrokerError(f"Java process {pid} did not listen at {address} within {LISTENS_WITHIN_S:g} s")
            time.sleep(LOOK_EVERY_S)
    finally:
        asking.unlink(missing_ok=True)
    return address


def _ask(address: Path, question: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWERS_WITHIN_S)
        line.connect(str(address))
        line.sendall(question)
        parts = []
        while part := line.recv(4_096):
            parts.append(part)
        return b"".join(parts)
