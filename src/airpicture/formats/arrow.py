"""pyarrow under loose types.

Its stubs describe every class of array apart, with thousands of overloads; the code here treats columns of any class
alike. So the modules are Any, and what an array holds is said in words beside it.
"""

from typing import Any, Final, TypeAlias

import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

__all__ = ["DAMAGED", "ArrowColumn", "DataType", "Table", "pa", "pacsv", "pc", "pq"]

pa: Any = pyarrow
pc: Any = pyarrow.compute
pacsv: Any = pyarrow.csv
pq: Any = pyarrow.parquet

Table: TypeAlias = pyarrow.Table
DataType: TypeAlias = Any
ArrowColumn: TypeAlias = Any  # pyarrow.ChunkedArray or pyarrow.Array
# What comes of a damaged Parquet file; the last, of column names that aren't text any more.
DAMAGED: Final = (pyarrow.ArrowException, OSError, UnicodeDecodeError)
