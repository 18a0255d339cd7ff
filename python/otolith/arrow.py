"""Arrow data on their way in: anything with `__arrow_c_stream__` or `__arrow_c_array__`.

pyarrow, Polars and others share their buffers through the Arrow C interfaces; none of them is
imported here. Arrow nulls are null. pandas data do not come this way, though pandas offers it.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union

import numpy as np
import numpy.typing as npt

from otolith import _core
from otolith.data import numpy_array
from otolith.errors import Corrupt, InvalidArgument, quoted
from otolith.frames import Values, is_frame, is_series

# Arrow formats of times and dates, up to the zone, and the unit of their integers.
_UNITS = {"tss": "s", "tsm": "ms", "tsu": "us", "tsn": "ns", "tdD": "D", "tdm": "ms"}

ArrowValues = Union[_core.Array, Values]


def is_arrow(data: Any) -> bool:
    """True for Arrow data that are not pandas'."""
    offers = hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    return offers and not is_frame(data) and not is_series(data)


def arrow_columns(data: Any) -> Dict[str, ArrowValues]:
    """Columns of a table, a record batch or a stream of them, by name."""
    columns: Dict[str, ArrowValues] = {}
    for name, form, array in _imported(data):
        if name in columns:
            raise InvalidArgument(f"the Arrow data have two columns {quoted(name)}")
        columns[name] = _values(form, array)
    return columns


def arrow_column(data: Any) -> ArrowValues:
    """The values of one Arrow array, chunked array or Polars Series."""
    imported = _imported(data)
    if len(imported) != 1:
        raise InvalidArgument(
            f"it is Arrow data of {len(imported)} columns; give one value per row"
        )
    _, form, array = imported[0]
    return _values(form, array)


def given_array(array: _core.Array) -> npt.NDArray[Any]:
    """Values that were given, as NumPy has them; InvalidArgument where their text is no UTF-8."""
    try:
        return numpy_array(array)
    except Corrupt:
        raise InvalidArgument("its text is no UTF-8; encode it before") from None


def _imported(data: Any) -> List[Tuple[str, str, _core.Array]]:
    if hasattr(data, "__arrow_c_stream__"):
        return _core.import_arrow_stream(data.__arrow_c_stream__())
    return _core.import_arrow_array(*data.__arrow_c_array__())


def _values(form: str, array: _core.Array) -> ArrowValues:
    if form == "n":
        return Values(np.full(array.length, None, object))
    unit = _UNITS.get(form[:3])
    if unit is None:
        return array
    counts = array.values().astype(np.int64, copy=False)
    null = None
    if array.null_count:
        valid = np.unpackbits(array.validity(), count=array.length, bitorder="little")
        null = valid == 0
    return Values(counts.view(f"M8[{unit}]"), null, utc=len(form) > 4)
