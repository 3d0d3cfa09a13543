"""The house's own rules, checked on the house."""

import ast
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOMS = ("harness", "models", "rules", "scorer", "streams")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
EVERY_SOURCE = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400

# Below the command line nothing reads the wall clock, the environment or a shared random generator: they are passed in.
AMBIENT_CALLS = {"time.time", "os.getenv", "random.random", "random.seed", "np.random.seed", "numpy.random.seed"}
AMBIENT_NAMES = {"os.environ"}
COMMAND_LINE = {"harness/cli.py"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = [dotted(item.func) for item in node.decorator_list if isinstance(item, ast.Call)]
    return bool({"app.command", "app.callback"} & set(decorators))


def ambient_reads(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in AMBIENT_CALLS:
            yield node.lineno, dotted(node.func)
        if isinstance(node, ast.Attribute) and dotted(node) in AMBIENT_NAMES:
            yield node.lineno, dotted(node)


def lengths(path: Path) -> Iterator[str]:
    """What of a file is too long."""
    text = path.read_text()
    if text.count("\n") > MODULE_LINES_MAX:
        yield f"{relative(path)} holds more than one idea: split it"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # the signature of a command is its list of options: what is read as code begins below it
            first = node.body[0].lineno if is_command(node) else node.lineno
            lines = (node.end_lineno or first) - first + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{relative(path)}:{node.lineno} {node.name} has {lines} lines"


# One test a rule: a test for each of a thousand files would cost more than the rules do.


def test_functions_and_modules_are_short() -> None:
    assert [told for path in EVERY_SOURCE for told in lengths(path)] == []


def test_modules_are_named_after_their_idea() -> None:
    assert [relative(path) for path in SOURCES if path.stem in VAGUE_NAMES] == []


def test_modules_say_what_they_are_for() -> None:
    written = [path for path in SOURCES if path.stat().st_size]
    assert [relative(path) for path in written if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_clock_randomness_and_environment_are_passed_in() -> None:
    below = [path for path in SOURCES if relative(path) not in COMMAND_LINE]
    read = {relative(path): list(ambient_reads(ast.parse(path.read_text()))) for path in below}
    assert {name: found for name, found in read.items() if found} == {}


def test_no_other_distribution_claims_our_packages() -> None:
    claims = importlib.metadata.packages_distributions()
    for room in ROOMS:
        assert {name.lower() for name in claims.get(room, [])} <= {"riskbench"}, f"package {room!r} is claimed twice"
