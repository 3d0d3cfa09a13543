"""A model made to fail on purpose: what the harness asks for and the scorer carries out, through a small mapped file.

The file is the harness's; a scorer that was given its path maps it and looks at one integer a model call. Format: the
generation (uint64, little-endian, 0: nothing was asked for yet), the length of what follows (uint64), and the JSON of a
`ModelFault` or `null`. The generation is raised last, so that who sees a new one sees all of what it announces.
"""

import mmap
import os
import stat
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from streams.errors import BadInputError

SIZE = 4_096
HEAD = 16
DELAYS = ("constant", "exponential", "lognormal")
FailureKind = Literal["slow", "stall", "error", "hang", "nan", "constant"]
Delay = Literal["constant", "exponential", "lognormal"]


class ModelFault(msgspec.Struct, frozen=True, kw_only=True):
    """How the model's calls fail until told otherwise.

    slow: every call is late by `delay_ms` (the mean), drawn from `delay`; `sigma` is the lognormal's. stall: one call
    alone is late by `delay_ms`. error: `share` of the calls raise. hang: no call comes back before the fault is lifted,
    also not when it is told to stop. nan: `share` of the calls give NaN margins. constant: every margin is `margin`.
    """

    kind: FailureKind
    delay_ms: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    delay: Delay = "constant"
    sigma: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    margin: float = 0.0
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0


class FaultSwitch:
    """The harness's end: asks for a fault, or lifts it, in every scorer that maps the file."""

    def __init__(self, path: Path) -> None:
        """Make the file, for this user alone."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.ftruncate(handle, SIZE)
            self._bytes = mmap.mmap(handle, SIZE)
        finally:
            os.close(handle)
        self._generation = 0
        self.path = path

    def set(self, fault: ModelFault | None) -> None:
        """From the next call on."""
        content = msgspec.json.encode(fault)
        if len(content) > SIZE - HEAD:
            raise ValueError(f"{len(content)} bytes do not fit into a fault control file")
        self._bytes[HEAD : HEAD + len(content)] = content
        self._bytes[8:HEAD] = len(content).to_bytes(8, "little")
        self._generation += 1
        self._bytes[0:8] = self._generation.to_bytes(8, "little")

    def close(self) -> None:
        """Unmap it; what was asked for last stays."""
        self._bytes.close()


class FaultView:
    """The scorer's end."""

    def __init__(self, path: Path) -> None:
        """Map the file. Raises BadInputError when it is not there, not one of these, or not this user's alone."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise BadInputError(f"--fault-control {path}: cannot be opened: {error.strerror}") from error
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size != SIZE:
                raise BadInputError(f"--fault-control {path}: not a fault control file ({SIZE} bytes)")
            if found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise BadInputError(
                    f"--fault-control {path}: others may use it; it must be its owner's alone (mode 600)"
                )
            self._bytes = mmap.mmap(handle, SIZE, access=mmap.ACCESS_READ)
        finally:
            os.close(handle)
        self.path = path
        self.generations = memoryview(self._bytes).cast("Q")
        """`generations[0]` is the present generation: one read says whether anything has changed."""

    def read(self) -> ModelFault | None:
        """What is asked for now. Raises BadInputError when it cannot be understood."""
        length = int(self.generations[1])
        if length == 0:
            return None
        try:
            return msgspec.json.decode(self._bytes[HEAD : HEAD + length], type=ModelFault | None)
        except msgspec.DecodeError as error:
            raise BadInputError(f"--fault-control {self.path}: cannot be understood: {error}") from error
