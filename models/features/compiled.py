"""How kernels are compiled: once, ahead of use, kept on disk, with IEEE arithmetic."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Compile with numba, cached beside the module. No fastmath: the same operations in the same order, the same bits.

    The disk cache notices a change of the module a kernel stands in, not of modules it calls: kernels that call each
    other therefore share one module.
    """
    try:
        found = numba.njit(cache=True, nogil=True, error_model="numpy")(kernel)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        found = numba.njit(nogil=True, error_model="numpy")(kernel)
    return cast(Kernel, found)
