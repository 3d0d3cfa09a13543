"""Kafka's jars: exactly those of `kafka.lock`, fetched once into a cache, each checked by its SHA-256.

Fetched with jgo, from wherever this machine's Maven settings say; where that fails, with `mvn` itself.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from streams.brokers.maven_settings import remote_repositories
from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

LOCK_FILE = Path(__file__).with_name("kafka.lock")
_FETCHERS = 8
_MVN_TIMEOUT_S = 240
_MVN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps are done, and of how many."""


class JarsMissingError(BrokerError):
    """Kafka's jars are not in the cache and could not be fetched."""


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One jar as it must be."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """Its Maven coordinate."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """Its file name, in a repository and in the cache."""
        return f"{self.artifact}-{self.version}.jar"


@dataclass(frozen=True, slots=True)
class KafkaLock:
    """A Kafka version and all its jars. `digest` tells one lock from another. Also of something else that runs on Java
    and is fetched the same way: `name` is its folder's in the cache, `title` what people are told."""

    version: str
    jars: tuple[LockedJar, ...]
    digest: str
    name: str = "kafka"
    title: str = "Apache Kafka"


def read_lock(
    path: Path = LOCK_FILE, *, leading: str = "kafka_", name: str = "kafka", title: str = "Apache Kafka"
) -> KafkaLock:
    """Read a lock file: `group:artifact:version sha256` lines; its version is that of the one jar whose artifact begins
    with `leading`. `BrokerError` names a line that is neither."""
    text = path.read_text(encoding="utf-8")
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        coordinate, _, sha256 = line.partition(" ")
        parts = coordinate.split(":")
        if len(parts) != 3 or len(sha256.strip()) != 64:
            raise BrokerError(f"{path}, line {number}: expected group:artifact:version and a SHA-256")
        jars.append(LockedJar(parts[0], parts[1], parts[2], sha256.strip()))
    versions = [jar.version for jar in jars if jar.artifact.startswith(leading)]
    if len(versions) != 1:
        raise BrokerError(f"{path}: expected exactly one {leading}* jar, found {len(versions)}")
    return KafkaLock(versions[0], tuple(jars), hashlib.sha256(text.encode()).hexdigest()[:12], name, title)


Fetch = Callable[[KafkaLock, Path, Path | None, Progress], list[Path]]
"""One way of fetching all jars of a lock into a folder, given the Maven settings file (or None) and whom to tell."""


@dataclass(frozen=True, slots=True)
class KafkaHome:
    """Where one locked Kafka lives in the cache: its jars, and beside them what is derived from them."""

    version: str
    folder: Path
    jars: tuple[Path, ...]

    @property
    def class_path(self) -> str:
        """For `java -cp`; always in the same order, because a class archive is only good for the same class path."""
        return os.pathsep.join(str(jar) for jar in self.jars)


def resolve_jars(
    cache_dir: Path,
    *,
    lock: KafkaLock | None = None,
    maven_settings: Path | None = None,
    progress: Progress | None = None,
    ways: Mapping[str, Fetch] | None = None,
) -> KafkaHome:
    """The locked Kafka's jars, fetched into `cache_dir` unless there. Other processes may do the same meanwhile.

    `ways` are tried in turn. Raises `JarsMissingError` that says how each of them failed.
    """
    wanted = lock or read_lock()
    folder = cache_dir / f"{wanted.name}-{wanted.version}-{wanted.digest}"
    home = KafkaHome(
        wanted.version, folder, tuple(folder / "jars" / name for name in sorted(j.file_name for j in wanted.jars))
    )
    if not _complete(home):
        try:
            with exclusive(cache_dir / ".lock"):
                if not _complete(home):
                    _install(home, wanted, ways or WAYS, maven_settings, progress or _silent)
        except OSError as error:
            raise JarsMissingError(f"the cache folder {cache_dir} cannot be used: {error}") from error
    return home


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes; let go by the system even when we are killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _complete(home: KafkaHome) -> bool:
    return all(jar.is_file() for jar in home.jars)


def _silent(what: str, done: int, of: int) -> None:
    _log.debug("%s: %d of %d", what, done, of)


def _install(
    home: KafkaHome, lock: KafkaLock, ways: Mapping[str, Fetch], maven_settings: Path | None, progress: Progress
) -> None:
    failures = []
    for name, fetch in ways.items():
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home.folder.parent) as scratch:
            try:
                fetched = fetch(lock, Path(scratch), maven_settings, progress)
                _check(lock, fetched)
            except Exception as error:  # a client's failure of any kind means: try the next one
                _log.debug("fetching %s with %s failed", lock.title, name, exc_info=True)
                failures.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
                continue
            _move_in(home, fetched, Path(scratch))
            return
    raise JarsMissingError(f"the jars of {lock.title} {lock.version} could not be fetched; " + "; ".join(failures))


def _move_in(home: KafkaHome, fetched: Sequence[Path], scratch: Path) -> None:
    staged = scratch / "staged"
    staged.mkdir()
    for path in fetched:
        shutil.move(path, staged / path.name)
    shutil.rmtree(home.folder, ignore_errors=True)
    home.folder.mkdir(parents=True)
    staged.rename(home.folder / "jars")


def _check(lock: KafkaLock, fetched: Sequence[Path]) -> None:
    by_name = {path.name: path for path in fetched}
    for jar in lock.jars:
        with by_name[jar.file_name].open("rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
        if found != jar.sha256:
            raise BrokerError(f"{jar.coordinate} is not the file that was locked (SHA-256 {found}, not {jar.sha256})")


def fetch_with_jgo(lock: KafkaLock, scratch: Path, maven_settings: Path | None, progress: Progress) -> list[Path]:
    """Fetch with jgo, a few at a time, from where the machine's Maven settings say."""
    from jgo.maven import MavenContext  # noqa: PLC0415 (only needed when the cache is empty)

    context = MavenContext(
        repo_cache=scratch / "repository", local_repos=[], remote_repos=remote_repositories(maven_settings), timeout=20
    )

    def fetch(jar: LockedJar) -> Path:
        artifact = context.create_dependency(jar.coordinate).artifact
        try:
            return Path(artifact.resolve())
        except Exception:  # one more try: a lost connection is common among many, and leaves half a file
            _log.debug("%s: second try", jar.coordinate, exc_info=True)
            artifact.cached_path.unlink(missing_ok=True)
            return Path(artifact.resolve())

    what = f"fetching {lock.title} {lock.version}"
    progress(what, 0, len(lock.jars))
    # The first one alone: where nothing can be fetched, that is known after one time-out instead of many.
    paths = [fetch(lock.jars[0])]
    with ThreadPoolExecutor(_FETCHERS) as pool:
        for future in as_completed([pool.submit(fetch, jar) for jar in lock.jars[1:]]):
            paths.append(future.result())
            progress(what, len(paths), len(lock.jars))
    return paths


def fetch_with_mvn(lock: KafkaLock, scratch: Path, maven_settings: Path | None, progress: Progress) -> list[Path]:
    """Fetch with Maven itself, which knows every setting a machine may have (proxies, credentials)."""
    mvn = shutil.which("mvn")
    if mvn is None:
        raise BrokerError("not installed")
    progress(f"fetching {lock.title} {lock.version} with mvn", 0, len(lock.jars))
    project, out = scratch / "pom.xml", scratch / "jars"
    project.write_text(_project(lock), encoding="utf-8")
    command = [mvn, "-B", "-q", "-f", str(project), f"{_MVN_PLUGIN}:copy-dependencies", f"-DoutputDirectory={out}"]
    if maven_settings is not None:
        command += ["-s", str(maven_settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_MVN_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BrokerError(f"mvn ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-400:]}")
    return [out / jar.file_name for jar in lock.jars]


def _project(lock: KafkaLock) -> str:
    """A Maven project that depends on exactly the locked jars."""
    nothing_more = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    dependencies = "".join(
        f"<dependency><groupId>{escape(jar.group)}</groupId><artifactId>{escape(jar.artifact)}</artifactId>"
        f"<version>{escape(jar.version)}</version>{nothing_more}</dependency>"
        for jar in lock.jars
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>riskbench</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


WAYS: Mapping[str, Fetch] = {"jgo": fetch_with_jgo, "mvn": fetch_with_mvn}
