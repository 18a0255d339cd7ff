"""Column types, and what else may stand for one: text, Python, NumPy, Arrow and pandas types.

>>> import otolith as oto
>>> oto.required(oto.float64)
otolith.required(otolith.float64)
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any, Dict, Optional

import numpy as np

from otolith import _core
from otolith.errors import InvalidArgument, shown, utf8

_DIGITS_MAX = 38  # of a decimal, as in the core


@dataclasses.dataclass(frozen=True)
class DType:
    """The type of a column: its name as in Arrow, and whether values may be null.

    >>> oto.timestamp.name, oto.timestamp.nullable
    ('timestamp', True)
    """

    name: str
    nullable: bool = True

    def __repr__(self) -> str:
        plain = f"otolith.{self.name}"
        return plain if self.nullable else f"otolith.required({plain})"

    @property
    def kind(self) -> str:
        """The name without precision and scale.

        >>> oto.decimal(12, 2).kind
        'decimal'
        """
        return self.name.partition("(")[0]

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy type of a column that is read: times are datetime64[ns]; text, binary and
        decimals are objects.
        """
        return np.dtype(_NUMPY.get(self.name, "O"))


int8, int16, int32, int64 = (DType(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (DType(f"uint{bits}") for bits in (8, 16, 32, 64))
float32, float64 = DType("float32"), DType("float64")
timestamp = DType("timestamp")
string = DType("string")
binary = DType("binary")
boolean = DType("bool")


def decimal(precision: int, scale: int = 0) -> DType:
    """The type of numbers with `precision` decimal digits (1 to 38), `scale` of them after the
    point.

    >>> oto.decimal(12, 2)
    otolith.decimal(12,2)
    """
    for digits in (precision, scale):
        whole = isinstance(digits, int) and not isinstance(digits, bool)
        if not whole or not 0 <= digits <= _DIGITS_MAX:
            raise InvalidArgument(
                f"decimal({shown(precision)}, {shown(scale)}): give a precision of 1 to "
                f"{_DIGITS_MAX} digits, and how many of them stand after the point"
            )
    return DType(_core.type_canonical(f"decimal({precision},{scale})"))


def required(dtype: Any) -> DType:
    """The same type without nulls; takes all that `create_table` takes for a type.

    >>> oto.required("float32").nullable
    False
    """
    return dataclasses.replace(dtype_of(dtype), nullable=False)


_NUMPY: Dict[str, str] = {
    "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8",
    "uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8",
    "float32": "f4", "float64": "f8", "timestamp": "M8[ns]", "bool": "?",
}  # fmt: skip
_FROM_NUMPY: Dict[str, str] = {np.dtype(code).str: name for name, code in _NUMPY.items()}
_FROM_PYTHON: Dict[type, str] = {
    int: "int64", float: "float64", str: "string", bytes: "binary", bool: "bool",
    datetime.datetime: "timestamp",
}  # fmt: skip
# Names that Arrow, pandas and Polars print, in lower case, where they are not Otolith's own.
_FROM_OTHERS: Dict[str, str] = {
    "float": "float32", "double": "float64", "boolean": "bool", "str": "string", "utf8": "string",
    "large_string": "string", "string_view": "string", "large_binary": "binary",
    "binary_view": "binary",
}  # fmt: skip
_PATTERNS = (
    (
        re.compile(r"(timestamp|datetime64)\[\w+(, ?(tz=)?[\w/+:-]+)?\]$|datetime(\(.*\))?$"),
        "timestamp",
    ),
    (re.compile(r"dictionary<values=(large_)?string,.*>$"), "string"),
    (re.compile(r"fixed_size_binary\[\d+\]$"), "binary"),
    (re.compile(r"decimal(?:128)?\((?:precision=)?(\d+), ?(?:scale=)?(\d+)\)$"), r"decimal(\1,\2)"),
)


def dtype_of(spec: Any) -> DType:
    """The DType of what a user wrote for one; InvalidArgument names what is known."""
    if isinstance(spec, DType):
        return spec
    if isinstance(spec, str):
        return _of_text(spec)
    if isinstance(spec, type):
        if spec in _FROM_PYTHON:
            return DType(_FROM_PYTHON[spec])
        if issubclass(spec, np.generic):
            return _of_numpy(np.dtype(spec))
    if isinstance(spec, np.dtype):
        return _of_numpy(spec)
    found = _of_others(str(spec))
    if found is None:
        raise InvalidArgument(
            f"{shown(spec)} is no column type; use otolith.float64, text such as 'float64', "
            "or a NumPy or Arrow type"
        )
    return found


def _of_text(text: str) -> DType:
    try:
        return DType(_core.type_canonical(utf8("the type", text)))
    except InvalidArgument:
        found = _of_others(text) if text not in ("float", "str") else None
        if found is None:
            raise
        return found


def _of_others(text: str) -> Optional[DType]:
    text = utf8("the type", text).lower().replace("[pyarrow]", "")
    if text in _FROM_OTHERS:
        return DType(_FROM_OTHERS[text])
    for pattern, name in _PATTERNS:
        if pattern.match(text):
            return DType(_core.type_canonical(pattern.sub(name, text)))
    try:
        return DType(_core.type_canonical(text))
    except InvalidArgument:
        return None


def _of_numpy(dtype: np.dtype[Any]) -> DType:
    if dtype.kind == "M":
        return timestamp
    if dtype.kind in "UT":
        return string
    if dtype.kind == "S":
        return binary
    name = _FROM_NUMPY.get(dtype.newbyteorder("=").str)
    if name is None:
        hint = "; say 'string' for text" if dtype.kind == "O" else ""
        raise InvalidArgument(f"the NumPy type {dtype} is no column type{hint}")
    return DType(name)
