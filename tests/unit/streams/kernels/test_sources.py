"""What each kernel is made of is among the sources it is stamped with."""

import ast
import functools
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from numba.core.dispatcher import Dispatcher

from streams.kernels.sources import ROOMS, sources_of, stamp_of

ROOT = Path(__file__).parents[4]
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
KERNEL = re.compile(r"^@(compiled|inlined)$", re.MULTILINE)
WITH_KERNELS = [path for path in SOURCES if KERNEL.search(path.read_text())]


def module_at(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def file_of(module: str) -> Path | None:
    """Of a module of ours."""
    place = ROOT.joinpath(*module.split("."))
    return next((each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file()), None)


@functools.cache
def imports(path: Path) -> frozenset[Path]:
    """The modules of ours that a module says it imports."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: by its full name, or it is not found"
            named |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(file for name in named if name.split(".")[0] in ROOMS and (file := file_of(name)))


def reached(path: Path) -> set[Path]:
    found, left = {path}, [path]
    while left:
        new = imports(left.pop()) - found
        found |= new
        left += new
    return found


def kernels(path: Path) -> list[Any]:
    module = importlib.import_module(module_at(path))
    values = vars(module).values()
    return [value for value in values if isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__]


def used(function: FunctionType) -> Iterator[Any]:
    """What a function names of its module, and those named by functions among it, and so on."""
    seen, left = {id(function)}, [function]
    while left:
        here = left.pop()
        for name in here.__code__.co_names:
            value = here.__globals__.get(name)
            if value is None or id(value) in seen:
                continue
            seen.add(id(value))
            yield value
            value = getattr(value, "py_func", getattr(value, "_defn", value))
            if isinstance(value, FunctionType) and value.__module__.split(".")[0] in ROOMS:
                left.append(value)


def home(value: Any) -> Path | None:
    """The module of ours in which a function, a part of a kernel, a class or a module was written."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return file_of(name) if isinstance(name, str) and name.split(".")[0] in ROOMS else None


def test_the_rooms_are_those_that_are_shipped() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(told["hatch"]["build"]["targets"]["wheel"]["packages"]) == ROOMS
    assert set(told["importlinter"]["root_packages"]) == ROOMS


def test_kernels_are_compiled_in_one_way() -> None:
    by_numba = [path for path in SOURCES if re.search(r"\bn?jit\(|import n?jit|@numba", path.read_text())]
    assert [module_at(path) for path in by_numba] == ["streams.kernels.compiled"]


def test_there_are_kernels_in_all_these_rooms() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in WITH_KERNELS} == ROOMS


@pytest.mark.parametrize("path", WITH_KERNELS, ids=module_at)
def test_every_import_is_followed(path: Path) -> None:
    """What a name stands for has come into a module by an import, whatever it is: also a number, which does not say
    where it is from."""
    assert reached(path) <= sources_of(path, path.relative_to(ROOT).parts[0])


@pytest.mark.parametrize("path", WITH_KERNELS, ids=module_at)
def test_what_kernels_use_is_among_their_sources(path: Path) -> None:
    found = kernels(path)
    assert found
    sources = sources_of(path, path.relative_to(ROOT).parts[0])
    for kernel in found:
        assert kernel._cache._cache_file._source_stamp[-1] == stamp_of(kernel.py_func)
        homes = {file for value in used(kernel.py_func) if (file := home(value))}
        assert homes <= sources, kernel


def test_an_import_within_a_function_and_of_a_whole_package_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(
        "def late():\n    from streams.decision import PATHS\n    import streams.kernels\n    return PATHS\n"
    )
    found = {module_at(each) for each in sources_of(path, "odd") - {path}}
    assert {"streams.decision", "streams.kernels", "streams.kernels.memory", "streams.kernels.base64"} <= found
