"""Numbers of a column: arrays cast by value in the core, Python objects typed exactly first."""

from __future__ import annotations

import datetime
from typing import Any, List, Optional, Tuple

import numpy as np
import numpy.typing as npt

from otolith import _core
from otolith.errors import InvalidArgument, shown
from otolith.frames import Values, keeps_nan
from otolith.schema import Column
from otolith.times import Mask, either, nulls_of

_EXACT_FLOAT_MAX = 2.0**53  # integers up to here are exact as float64
_FLOATS = (int, float, np.integer, np.float16, np.float32)  # kept by float(), where ints are
_TRUTH = {bool, np.bool_}  # no numbers, although Python counts with them
_NATIVE = {
    np.dtype(name): name
    for name in (
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float32", "float64", "bool"),
    )
}


def number_array(values: Values, column: Column) -> _core.Array:
    """The core Array of numbers for a column; InvalidArgument where one would change its value."""
    array, null = values.array, values.null
    if array.dtype.kind == "O":
        array, null = _typed_objects(array, null, column)
    if array.dtype not in _NATIVE:
        array = _native(array, column)
    if values.nan_is_null and array.dtype.kind == "f":
        nan = np.isnan(array)
        null = either(null, nan if nan.any() else None)
    name = _NATIVE[array.dtype]
    made = fixed_array(name, array, null)
    return made if name == column.dtype.name else made.cast(column.dtype.name, column.name)


def fixed_array(name: str, array: npt.NDArray[Any], null: Mask) -> _core.Array:
    """The core Array of fixed-width values; slots of nulls become zeros."""
    if null is not None:
        array = np.where(null, np.zeros((), array.dtype), array)
    if not array.flags.carray:
        array = np.require(array, requirements=["C", "A"])
    if null is None:
        return _core.Array.make(name, len(array), array, None, 0)
    bits = np.packbits(~null, bitorder="little")
    return _core.Array.make(name, len(array), array, bits, int(np.count_nonzero(null)))


def native_name(array: npt.NDArray[Any]) -> Optional[str]:
    """The type whose values an array holds, whatever their byte order; None if there is none."""
    return _NATIVE.get(array.dtype.newbyteorder("="))


def typed_list(listed: Any) -> Optional[npt.NDArray[Any]]:
    """A list as the NumPy array of numbers that holds each exactly; None if there is none.

    NumPy would take masked values for NaN, and truth values among numbers for 0 and 1.
    """
    kinds = set(map(type, listed))
    if type(np.ma.masked) in kinds or (kinds & _TRUTH and kinds - _TRUTH):
        return None
    try:
        typed = np.array(listed)
    except (ValueError, OverflowError):
        return None
    if typed.ndim != 1 or typed.dtype.kind not in "biufO":
        return None
    if typed.dtype.kind == "O":
        return _integers(listed)
    if typed.dtype.kind == "f" and bool((np.abs(typed) >= _EXACT_FLOAT_MAX).any()):
        for row in np.flatnonzero(np.abs(typed) >= _EXACT_FLOAT_MAX).tolist():
            value = listed[row]
            if isinstance(value, (int, np.integer)) and int(value) != int(typed[row]):
                return _integers(listed)  # an int was rounded
    return typed


def _integers(listed: Any) -> Optional[npt.NDArray[Any]]:
    """Ints that NumPy would rather round to floats, or keep as objects; None if they do not fit."""
    if not all(isinstance(value, (int, np.integer)) for value in listed):
        return None
    exact = [int(value) for value in listed]  # NumPy's own integers would wrap around
    for dtype in (np.int64, np.uint64):
        try:
            return np.array(exact, dtype)
        except OverflowError:
            continue
    return None


def described(value: Any) -> str:
    """A refused value and its type, for a message."""
    if isinstance(value, datetime.datetime):
        return f"the time {value.isoformat()}"
    return f"{type(value).__name__} {shown(value)}"


def _typed_objects(
    objects: npt.NDArray[Any], null: Mask, column: Column
) -> Tuple[npt.NDArray[Any], Mask]:
    objects = np.ascontiguousarray(objects)
    null = either(null, nulls_of(objects))
    if null is not None:
        objects = objects.copy()
        objects[null] = 0
    listed: List[Any] = objects.tolist()
    typed = typed_list(listed)
    if typed is None:
        _refuse_objects(listed, column)
        if keeps_nan(column) and all(isinstance(value, _FLOATS) for value in listed):
            return np.array([float(value) for value in listed]), null  # exact, or refused before
        raise InvalidArgument(
            f"its values together fit no type of numbers without loss; give {column.dtype.name} "
            "values only"
        )
    return typed, null


def _refuse_objects(listed: List[Any], column: Column) -> None:
    """Raises for the first object that is no number, or an integer that no number type keeps."""
    for row, value in enumerate(listed):
        number = isinstance(value, (int, float, np.number)) and type(value) not in _TRUTH
        if not number:
            raise InvalidArgument(
                f"row {row} is {described(value)}, which is no {column.dtype.name}"
            )
        if isinstance(value, (int, np.integer)) and not _kept(int(value), column):
            raise InvalidArgument(
                f"row {row} is {shown(int(value))}, which cannot be kept without loss as "
                f"{column.dtype.name}"
            )


def _kept(value: int, column: Column) -> bool:
    if column.dtype.name.startswith("float"):
        return abs(value) < 2**1023 and int(float(value)) == value
    return -(2**63) <= value < 2**64


def _native(array: npt.NDArray[Any], column: Column) -> npt.NDArray[Any]:
    """Numbers of another byte order, or of a width that tables do not have, where that is exact."""
    if array.dtype.kind not in "biuf":
        raise InvalidArgument(
            f"it is {column.dtype.name}; {array.dtype} values do not become that: "
            "convert them first"
        )
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.itemsize <= 8:
        return array.astype(array.dtype.newbyteorder("="))
    out = array.astype(np.float64)
    bad = (out != array) & ~np.isnan(array)
    if bad.any():
        row = int(bad.argmax())
        raise InvalidArgument(
            f"row {row} is {array[row]}, which cannot be kept without loss as {column.dtype.name}"
        )
    return out
