"""How kernels of rules are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile by numba, kept on disk, without the interpreter's lock."""
    typed: _Function = numba.njit(cache=True, nogil=True)(function)
    return typed
