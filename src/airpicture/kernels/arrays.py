"""Names for the arrays that kernels take, for the reader and the type checker, and what makes tables of them."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import Laid as Laid
from airpicture.kernels._jit import laid as laid
from airpicture.kernels._jit import table as table

F64: TypeAlias = NDArray[np.float64]
F32: TypeAlias = NDArray[np.float32]
I64: TypeAlias = NDArray[np.int64]
I32: TypeAlias = NDArray[np.int32]
I8: TypeAlias = NDArray[np.int8]
U64: TypeAlias = NDArray[np.uint64]
U32: TypeAlias = NDArray[np.uint32]
U8: TypeAlias = NDArray[np.uint8]

LINE: Final = 64  # bytes of a cache line


def lined(size: int) -> F64:
    """Return so many zeros that start a line of the cache, so that no vector of eight lies across two."""
    block = np.zeros(size + LINE // 8)
    skip = -(block.ctypes.data // 8) % (LINE // 8)
    return block[skip : skip + size]
