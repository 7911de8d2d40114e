"""Names for the arrays that kernels take, for the reader and the type checker, and what makes tables of them."""

from typing import TypeAlias

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
