"""Booleans, decimals and bytes of a column: Python objects and arrays of other types by their
exact value, or refused.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from otolith import _core
from otolith.errors import InvalidArgument
from otolith.frames import Values, with_none
from otolith.numbers import described, fixed_array, native_name
from otolith.schema import Column
from otolith.times import Mask, either, null_objects, nulls_of


def boolean_array(values: Values, column: Column) -> _core.Array:
    """True and False, and integers that are 0 or 1."""
    array, null = values.array, values.null
    if array.dtype.kind == "O":
        null = either(null, nulls_of(array))
        return fixed_array("bool", _booleans(array, null), null)
    if array.dtype.kind == "b":
        return fixed_array("bool", array, null)
    return _cast(array, null, column, "iu")


def decimal_array(values: Values, column: Column) -> _core.Array:
    """Decimals, integers, text of digits, and floats where they are that very number."""
    array, null = values.array, values.null
    if array.dtype.kind in "UT":
        array = array.astype(object)
    if array.dtype.kind != "O":
        if values.nan_is_null and array.dtype.kind == "f":
            null = either(null, np.isnan(array))
        return _cast(array, null, column, "iuf")
    null = either(null, nulls_of(array))
    if values.nan_is_null:
        null = either(null, np.array([value != value for value in array], np.bool_))
    marks = bytes(len(array)) if null is None else null.tobytes()
    if any(isinstance(value, np.generic) for value in array):
        array = _of_python(array)
    made: Optional[_core.Array]
    made, row, why = _core.decimal_array(np.ascontiguousarray(array), marks, column.dtype.name)
    if made is None:
        raise InvalidArgument(
            f"row {row} is {described(array[row])}, which {why} {column.dtype.name}"
        )
    return made


def binary_array(values: Values, column: Column) -> _core.Array:
    """bytes, bytearray and memoryview objects, and NumPy's arrays of bytes."""
    array = values.array
    if array.dtype.kind in "SV" and array.dtype.names is None:
        array = array.astype(object)
    if array.dtype.kind != "O":
        raise _refused(array, column)
    if values.null is not None:
        array = with_none(array, values.null)
    made, row = _core.binary_array(np.ascontiguousarray(array), null_objects())
    if made is None:
        hint = "; encode it before" if isinstance(array[row], str) else ""
        raise InvalidArgument(f"row {row} is no bytes: {described(array[row])}{hint}")
    return made


def _booleans(objects: npt.NDArray[Any], null: Mask) -> npt.NDArray[np.bool_]:
    out = np.zeros(len(objects), np.bool_)
    for row, value in enumerate(objects.tolist()):
        if null is not None and null[row]:
            continue
        truth = isinstance(value, (bool, np.bool_))
        if not truth and not (isinstance(value, (int, np.integer)) and value in (0, 1)):
            raise InvalidArgument(f"row {row} is {described(value)}, which is no bool")
        out[row] = bool(value)
    return out


def _of_python(objects: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(len(objects), object)
    for row, value in enumerate(objects):
        out[row] = value.item() if isinstance(value, np.generic) else value
    return out


def _cast(array: npt.NDArray[Any], null: Mask, column: Column, kinds: str) -> _core.Array:
    name: Optional[str] = native_name(array) if array.dtype.kind in kinds else None
    if name is None:
        raise _refused(array, column)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return fixed_array(name, native, null).cast(column.dtype.name, column.name)


def _refused(array: npt.NDArray[Any], column: Column) -> InvalidArgument:
    return InvalidArgument(
        f"it is {column.dtype.name}; {array.dtype} values do not become that: convert them first"
    )
