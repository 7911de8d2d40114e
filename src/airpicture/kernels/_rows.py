"""Lengths of rows that a kernel knows, though the types of its arguments don't tell them.

Where an element of an array of several axes stands is a product with a length of row, a word that a kernel finds in its
arguments. In a large one such words are on the stack, read and multiplied with each time. Where a length is a constant
of the code anyway, saying so makes shifts and sums of that. (What's in a table may be `ruled` instead.)
"""

from math import prod
from typing import Any, Final

import numba
import numba.extending

from airpicture.kernels._tables import with_constants

_intrinsic: Any = numba.extending.intrinsic
_borrowed: Any = numba.core.imputils.impl_ret_borrowed
_PLAIN: Final[bool] = numba.config.DISABLE_JIT  # type: ignore[attr-defined]


def rows(*shape: int) -> Any:
    """Return what takes an array of layout C whose rows have this shape, and returns it as one of which that's known.

    Nobody looks whether it's true where the kernel is compiled.
    """

    def plainly(array: Any) -> Any:
        assert array.shape[1:] == shape, f"rows of {array.shape[1:]} for {shape}"
        return array

    def known(_: Any, array: Any) -> Any:
        assert (array.layout, array.ndim) == ("C", len(shape) + 1), f"{array} for rows of {shape}"

        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            size = context.get_abi_sizeof(context.get_data_type(array.dtype))
            strides = tuple(size * prod(shape[k:]) for k in range(len(shape) + 1))
            value = with_constants(context, builder, array, args[0], (shape, strides))
            return _borrowed(context, builder, array, value)

        return array(array), emit

    return plainly if _PLAIN else _intrinsic(known)
