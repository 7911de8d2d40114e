"""Names for the arrays that kernels take, for the reader and the type checker, and what makes tables of them."""

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from airpicture.kernels._jit import Laid as Laid
from airpicture.kernels._jit import laid as laid
from airpicture.kernels._jit import ruled as ruled
from airpicture.kernels._jit import table as table

F64: TypeAlias = NDArray[np.float64]
F32: TypeAlias = NDArray[np.float32]
I64: TypeAlias = NDArray[np.int64]
I32: TypeAlias = NDArray[np.int32]
I8: TypeAlias = NDArray[np.int8]
U64: TypeAlias = NDArray[np.uint64]
U32: TypeAlias = NDArray[np.uint32]
U16: TypeAlias = NDArray[np.uint16]
U8: TypeAlias = NDArray[np.uint8]

LINE: Final = 64  # bytes of a line of the cache


def lined(
    shape: int | tuple[int, ...],
    kind: DTypeLike = np.float64,
    fill: float | None = None,
    make: Callable[[int, DTypeLike], NDArray[Any]] = np.zeros,
) -> NDArray[Any]:
    """Return an array whose first element begins a line of the cache; of zeros, unless `make` makes it otherwise.

    numpy's own arrays begin 16 bytes behind a multiple of 32, or 32 behind one of 64, so that half of the vectors of 32
    bytes in them, and all of 64, straddle two lines: measured, a look in the caches takes 2 to 3 % longer.

    fill : what is written to all of it
    make : what takes a number of elements and their kind
    """
    kind = np.dtype(kind)
    size = kind.itemsize * (math.prod(shape) if isinstance(shape, tuple) else shape)
    raw = make(size + LINE, np.uint8)
    skip = -raw.ctypes.data % LINE
    own = raw[skip : skip + size].view(kind).reshape(shape)
    if fill is not None:
        own[...] = fill
    return own
