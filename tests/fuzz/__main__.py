"""The longer job: coverage-guided fuzzing of one target by atheris (libFuzzer), for as long as it is given.

    python -m tests.fuzz TARGET [libFuzzer's options and corpus folders, such as -max_total_time=600]

It begins from the target's valid content, written into a folder of its own (or into the first corpus folder given), and
ends at the first input that is refused by another error than the declared ones, which it leaves in a file `crash-…`.
"""

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
INSTRUMENTED = ["harness", "models", "rules", "scorer", "streams"]
READER = "models.features.snapshot"
"""The one module of the models that reads files; of the others Numba compiles the bytecode, and does not know what
instrumenting makes of it."""
USAGE = "usage: python -m tests.fuzz TARGET [libFuzzer's options, corpus folders]; targets: "


def compiled() -> list[str]:
    """Modules that are left as they are."""
    found = (path for folder in ("models", "streams/kernels") for path in ROOT.glob(f"{folder}/**/*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found)
    return ["rules.kernel", "scorer.checkpoint.cutting", *(name for name in names if name != READER)]


def main(arguments: list[str]) -> int:
    """Fuzz a target; 2 for what cannot be run."""
    try:
        atheris = import_module("atheris")  # not in the locks
    except ImportError:
        sys.stderr.write("atheris is not installed: pip install 'atheris>=3.0' (Linux, CPython 3.11 to 3.13)\n")
        return 2
    with atheris.instrument_imports(include=INSTRUMENTED, exclude=compiled()):
        from tests.fuzz.targets import TARGETS, quiet
    if not arguments or arguments[0] not in TARGETS:
        sys.stderr.write(USAGE + ", ".join(TARGETS) + "\n")
        return 2
    target, options = TARGETS[arguments[0]], arguments[1:]
    quiet()
    with TemporaryDirectory(prefix="riskbench-corpus-") as made:
        folders = [option for option in options if not option.startswith("-")]
        corpus = Path(folders[0] if folders else made)
        corpus.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(target.valid()):
            (corpus / f"valid-{arguments[0]}-{number}").write_bytes(content)
        atheris.Setup([sys.argv[0], *options, *([] if folders else [made])], target.read)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
