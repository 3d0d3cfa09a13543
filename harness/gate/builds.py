"""Builds of two revisions, each with its source and its environment of its own, kept in the cache by commit."""

import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.processes import Child, Family
from streams.errors import BadInputError, RunInvalidError

GIT_S, SETUP_S = 120.0, 1_800.0


@dataclass(frozen=True, slots=True)
class Build:
    """A source folder that can run. `name` is the short commit, or "working tree"; `environ` is what its processes get,
    where its environment lies included."""

    name: str
    source: Path
    environ: Mapping[str, str]

    @classmethod
    def of(cls, name: str, source: Path, environ: Mapping[str, str], environment: Path | None = None) -> "Build":
        """A build whose processes see its own source only: PYTHONPATH would put another one before it."""
        kept = {key: value for key, value in environ.items() if key != "PYTHONPATH"}
        return cls(name, source, kept if environment is None else {**kept, "RISKBENCH_VENV": str(environment)})

    @property
    def bench(self) -> str:
        """Its own command line."""
        return str(self.source / "bench")


def _git(source: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=source, capture_output=True, text=True, timeout=GIT_S, check=False
        )
    except FileNotFoundError as error:
        raise BadInputError("bench gate needs git, and finds none") from error
    if done.returncode != 0:
        raise BadInputError(f"git {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def repository(start: Path) -> Path:
    """The top folder of the checkout that `start` lies in, which must be one of this project."""
    if not start.is_dir():
        raise BadInputError(f"{start}: no such folder")
    top = Path(_git(start, "rev-parse", "--show-toplevel"))
    if not (top / "bench").is_file():
        raise BadInputError(f"{top}: no ./bench in it; run bench gate in a checkout of Riskbench")
    return top


def commit_of(source: Path, ref: str) -> str:
    """The full commit a ref names. Raises BadInputError when it names none."""
    try:
        return _git(source, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except BadInputError as error:
        raise BadInputError(f"{ref!r} names no commit of {source} (a shallow clone has only the newest)") from error


def build_commit(source: Path, ref: str, cache: Path, environ: Mapping[str, str], family: Family) -> Build:
    """A commit's files and environment, from the cache where they are there already."""
    commit = commit_of(source, ref)
    folder = cache / "gate" / commit[:16]
    files = folder / "source"
    if not files.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _unpack(source, commit, files)
    return _made(Build.of(commit[:12], files, environ, folder / "environment"), family, folder / "build.log")


def _unpack(source: Path, commit: str, files: Path) -> None:
    """The commit's files, whole or not at all; the repository itself is not touched."""
    archive, partial = files.with_suffix(".tar"), files.with_suffix(".part")
    _git(source, "archive", "--format=tar", f"--output={archive}", commit)
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(archive) as packed:
        packed.extractall(partial, filter="data")
    archive.unlink()
    if not (partial / "bench").is_file():
        raise BadInputError(f"commit {commit[:12]} has no ./bench: it is too old to be compared with")
    partial.rename(files)


def build_working_tree(source: Path, cache: Path, environ: Mapping[str, str], family: Family) -> Build:
    """The checkout as it is, with what is not committed, in the environment that its ./bench keeps."""
    return _made(Build.of("working tree", source, environ), family, cache / "gate" / "working-tree.log")


def _made(build: Build, family: Family, log: Path) -> Build:
    end_bench(begin_bench(build, ("version",), family, log), family, SETUP_S)
    return build


def begin_bench(build: Build, arguments: Sequence[str], family: Family, log: Path) -> Child:
    """Start a build's ./bench; what it says goes to `log`, which begins anew."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    name = f"{build.name}: bench {' '.join(arguments)}"
    return family.start(name, [build.bench, *arguments], log, cwd=build.source, environ=build.environ)


def end_bench(child: Child, family: Family, timeout_s: float, codes: Sequence[int] = (0,)) -> int:
    """Wait for the end of a ./bench; returns its exit code, one of `codes`.

    Raises RunInvalidError with its last words for another code, or when it takes longer than `timeout_s`.
    """
    code = child.wait(timeout_s)
    family.stop(child)
    if code is None:
        raise RunInvalidError(f"{child.name} took over {timeout_s:g} s")
    if code not in codes:
        raise RunInvalidError(f"{child.name} ended with {code}:\n{child.last_words()}")
    return code
