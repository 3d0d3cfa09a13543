"""Telling a Java process to collect its garbage, against a stand-in that listens as HotSpot does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.brokers import java_attach
from streams.brokers.java_attach import collect_garbage
from streams.errors import BrokerError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="HotSpot listens so on Linux")
STAND_IN = """
import os, signal, socket, sys
answer, address = sys.argv[1].encode(), f"/tmp/.java_pid{os.getpid()}"
def listen(*_):
    assert os.path.exists(f".attach_pid{os.getpid()}")
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    for _ in range(2):
        line, _ = server.accept()
        asked = line.recv(100)
        print(asked, flush=True)
        line.sendall(answer)
        line.close()
    os.unlink(address)
    sys.exit()
signal.signal(signal.SIGQUIT, listen if answer else signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
signal.pause()
"""


@contextmanager
def stand_in(folder: Path, answer: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", STAND_IN, answer]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()
            Path(f"/tmp/.java_pid{process.pid}").unlink(missing_ok=True)  # noqa: S108 (where Java listens)


def test_it_is_told_to_listen_once_and_then_asked(tmp_path: Path) -> None:
    with stand_in(tmp_path, "0\nCommand executed successfully\n") as process:
        for _ in range(2):
            collect_garbage(process.pid)
            assert process.stdout is not None
            assert process.stdout.readline() == "b'1\\x00jcmd\\x00GC.run\\x00\\x00\\x00'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", ["1\nUnknown command\n", "101\n"])
def test_what_it_does_not_do_is_said_in_its_words(tmp_path: Path, answer: str) -> None:
    words = " ".join(answer.split())
    with stand_in(tmp_path, answer) as process, pytest.raises(BrokerError) as caught:
        collect_garbage(process.pid)
    assert f"{process.pid} did not collect its garbage" in str(caught.value)
    assert words.split()[0] in str(caught.value)


def test_one_that_does_not_listen_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java_attach, "LISTENS_WITHIN_S", 0.05)
    with stand_in(tmp_path, "") as process, pytest.raises(BrokerError, match=r"did not listen at .* within 0\.05 s"):
        collect_garbage(process.pid)
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_gone_is_said(tmp_path: Path) -> None:
    with stand_in(tmp_path, "") as process:
        pass
    with pytest.raises(BrokerError, match=f"Java process {process.pid} cannot be told"):
        collect_garbage(process.pid)
