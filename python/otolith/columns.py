"""One column of what is appended: any array, list or Series to a core Array, checked by value.

Contiguous NumPy arrays of the column's own type are handed over without a copy; other numbers are
cast in the core, which refuses a lossy cast and names column, row and value. Null are None, pandas'
NA and NaT, and masked values; NaN is a float and stays one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

import numpy as np

from otolith import _core
from otolith.arrow import arrow_column, given_array, is_arrow
from otolith.errors import InvalidArgument, quoted
from otolith.exact import binary_array, boolean_array, decimal_array
from otolith.frames import Values, is_series, keeps_nan, series_values, with_none
from otolith.numbers import described, fixed_array, number_array, typed_list
from otolith.schema import Column
from otolith.times import Zone, array_to_ns, null_objects

# Column types whose NumPy arrays are handed over as they are.
_NUMBERS = {
    name: np.dtype(name)
    for name in (
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float32", "float64"),
    )
}
_PLAIN = {**_NUMBERS, "bool": np.dtype(np.bool_)}
_TIMES = np.dtype("M8[ns]")


# What makes the arrays of types that are no numbers of NumPy.
_EXACT = {"bool": boolean_array, "decimal": decimal_array, "binary": binary_array}


def core_array(values: Any, column: Column, zone: Optional[Zone]) -> _core.Array:
    """The core Array of `values` for `column`; InvalidArgument names the column, and the row."""
    plain = _plain_array(values, column, zone)
    if plain is not None:
        return plain
    try:
        if is_arrow(values):
            values = arrow_column(values)
        if isinstance(values, _core.Array):
            if values.length == 0:
                return _no_values(column)
            if values.type == column.dtype.name:
                return values
            if zone is None or (values.type, column.dtype.name) != ("string", "timestamp"):
                return values.cast(column.dtype.name, column.name)
            values = Values(given_array(values))  # the core knows no zones
        taken = values if isinstance(values, Values) else values_of(values, column)
        if len(taken.array) == 0:
            return _no_values(column)
        if column.dtype.name == "timestamp":
            ns, null = array_to_ns(taken.array, None if taken.utc else zone, taken.null)
            return fixed_array("timestamp", ns, null)
        if column.dtype.name == "string":
            return _text_array(taken)
        return _EXACT.get(column.dtype.kind, number_array)(taken, column)
    except InvalidArgument as error:
        message = str(error)
        if " is nan, which cannot" in message and column.dtype.nullable:
            message += "; nan='null' makes it null"  # pandas says so of integers that are missing
        if not message.startswith("column "):
            message = f"column {quoted(column.name)}: {message}"
        raise InvalidArgument(message, error.where) from None


def values_of(values: Any, column: Column) -> Values:
    """Values of a one-dimensional array, masked array, list, tuple or Series."""
    if isinstance(values, (list, tuple)):
        typed = typed_list(values) if column.dtype.name in _NUMBERS else None
        if typed is not None:
            return Values(typed)
        return Values(np.fromiter(values, dtype=object, count=len(values)))
    if is_series(values):
        return series_values(values, keeps_nan(column))
    array = np.asarray(values)
    if array.ndim == 0 and isinstance(values, Iterable):
        raise InvalidArgument(f"it is {type(values).__name__}; give a list or an array")
    if array.ndim == 0:
        raise InvalidArgument("it is one value, and other columns are many; repeat it for each row")
    if array.ndim != 1:
        raise InvalidArgument(f"its values have {array.ndim} dimensions; give one value per row")
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        return Values(values.data, mask if mask.any() else None)
    return Values(array)


def _plain_array(values: Any, column: Column, zone: Optional[Zone]) -> Optional[_core.Array]:
    """The array as it is, if the core has it just so: nothing to convert, nothing to look at."""
    if type(values) is not np.ndarray or values.ndim != 1 or not values.flags.carray:
        return None
    name = column.dtype.name
    if name in _PLAIN and values.dtype == _PLAIN[name]:
        return _core.Array.make(name, len(values), values, None, 0)
    if (
        name == "timestamp"
        and values.dtype == _TIMES
        and zone is None
        and not column.dtype.nullable
    ):
        return _core.Array.make(name, len(values), values.view(np.int64), None, 0)
    return None


def _no_values(column: Column) -> _core.Array:
    """No values are of any type: what makes an empty array often cannot know its type."""
    if column.dtype.name == "string":
        return _text_array(Values(np.empty(0, object)))
    if column.dtype.kind in ("binary", "decimal"):
        return _EXACT[column.dtype.kind](Values(np.empty(0, object)), column)
    dtype = np.dtype(np.int64) if column.dtype.name == "timestamp" else column.dtype.numpy
    return fixed_array(column.dtype.name, np.empty(0, dtype), None)


def _text_array(values: Values) -> _core.Array:
    array = values.array
    if array.dtype.kind in "UT":
        array = array.astype(object)
    if array.dtype.kind != "O":
        raise InvalidArgument(
            f"it is string; {array.dtype} values do not become that: convert them first"
        )
    if values.null is not None:
        array = with_none(array, values.null)
    made, row = _core.text_array(np.ascontiguousarray(array), null_objects())
    if made is None:
        bad = array[row]
        if isinstance(bad, str):
            raise InvalidArgument(f"row {row} is text that is no UTF-8 (a lone surrogate)")
        raise InvalidArgument(f"row {row} is no text: {described(bad)}")
    return made
