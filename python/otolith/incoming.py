"""What `append` takes, brought to columns: dicts, lists of dicts, structured arrays and data
frames.

One dict of scalars and lists of dicts may leave nullable columns out; whatever comes as columns
brings every one of them by name, in any order, and no others.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Dict, List, Optional, Sequence, Set

import numpy as np

from otolith import _core
from otolith.columns import core_array, values_of
from otolith.data import Data, numpy_array
from otolith.arrow import arrow_column, arrow_columns, is_arrow
from otolith.errors import InvalidArgument, nearest, quoted, shown
from otolith.frames import Values, frame_columns, is_frame
from otolith.schema import Column, Schema
from otolith.times import Zone

_SCALARS = (
    str,
    bytes,
    bytearray,
    memoryview,
    bool,
    int,
    float,
    datetime.date,
    np.generic,
    type(None),
)


def batch_of(data: Any, schema: Schema, zone: Optional[Zone], nan: str = "keep") -> _core.Batch:
    """The core Batch of rows for a table; InvalidArgument names the column, the row and the
    remedy.
    """
    if not isinstance(nan, str) or nan not in ("keep", "null"):
        raise InvalidArgument(f"nan={shown(nan)}: choose 'keep' (NaN stays NaN) or 'null'")
    columns = _columns_of(data, schema)
    if nan == "null":
        columns = {
            name: _with_nan_as_null(values, schema[name]) for name, values in columns.items()
        }
    arrays = [core_array(columns[column.name], column, zone) for column in schema]
    _check_lengths(schema, [array.length for array in arrays])
    return _core.Batch.make(schema.core, arrays[0].length, arrays)


def _columns_of(data: Any, schema: Schema) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        if not data:
            raise InvalidArgument("the dict has no columns; give one entry per column of the table")
        if all(_is_scalar(value) for value in data.values()):
            return _transposed([data], schema)
        columns: Mapping[str, Any] = data
    elif isinstance(data, Data):
        columns = data.arrays()
    elif is_frame(data):
        columns = frame_columns(data, schema)
    elif is_arrow(data):
        columns = arrow_columns(data)
    elif isinstance(data, np.ndarray) and data.dtype.names is not None:
        columns = {name: data[name] for name in data.dtype.names}
    elif isinstance(data, (list, tuple)) and all(isinstance(row, Mapping) for row in data):
        return _transposed(data, schema)
    elif hasattr(data, "collect"):  # of Polars, DuckDB and others
        raise InvalidArgument(
            f"{type(data).__name__} cannot be appended before it is collected; call .collect()"
        )
    else:
        raise InvalidArgument(
            f"{type(data).__name__} cannot be appended; give a dict of columns, a dict of one row, "
            "a list of dicts, a structured array, a DataFrame or Arrow data"
        )
    if is_frame(data) and schema.time not in columns and schema.time not in data.index.names:
        raise InvalidArgument(
            f"the DataFrame has no column {quoted(schema.time)}, and its index is no DatetimeIndex "
            f"that could be it but {type(data.index).__name__}; give the times as a column, or "
            "frame.set_index(pandas.DatetimeIndex(times))"
        )
    _check_names(columns, schema, data.index.names if is_frame(data) else ())
    return columns


def _is_scalar(value: Any) -> bool:
    return (
        isinstance(value, _SCALARS)
        or not (hasattr(value, "__len__") or isinstance(value, Iterable))
        or getattr(value, "ndim", 1) == 0
    )


def _with_nan_as_null(values: Any, column: Column) -> Any:
    if is_arrow(values):
        values = arrow_column(values)
    if isinstance(values, _core.Array):
        if not values.type.startswith("float"):
            return values  # it has no NaN; as NumPy its times would no longer say that they are UTC
        values = numpy_array(values)
    taken = values if isinstance(values, Values) else values_of(values, column)
    return dataclasses.replace(taken, nan_is_null=True)


def _check_names(columns: Mapping[str, Any], schema: Schema, index: Collection[Any]) -> None:
    if columns.keys() == schema.by_name.keys():
        return
    for name in columns:
        if name not in schema:
            _refuse_extra(name, schema)
    missing = [name for name in schema.by_name if name not in columns]
    in_index = [name for name in missing if name in index]
    if in_index:
        raise InvalidArgument(
            f"column {quoted(in_index[0])} is missing; it is in the index: append "
            "frame.reset_index()"
        )
    if missing:
        names = ", ".join(map(quoted, missing))
        which = f"column {names} is" if len(missing) == 1 else f"columns {names} are"
        raise InvalidArgument(
            f"{which} missing; data in columns bring every column: {', '.join(schema.names)} "
            "(None is null)"
        )


def _refuse_extra(name: Any, schema: Schema) -> None:
    raise InvalidArgument(
        f"no column {quoted(name)} in the table{nearest(name, schema.names)}; its columns are "
        f"{', '.join(schema.names)}"
    )


def _transposed(rows: Sequence[Mapping[str, Any]], schema: Schema) -> Dict[str, List[Any]]:
    names: Set[Any] = set().union(*rows) if rows else set()
    for name in sorted(names - set(schema.names), key=str):
        _refuse_extra(name, schema)
    for column in schema:
        if column.dtype.nullable:
            continue
        for i, row in enumerate(rows):
            if column.name not in row:
                raise InvalidArgument(
                    f"column {quoted(column.name)}: row {i} leaves it out; the time column, keys "
                    "and required columns have a value in every row"
                )
    return {name: [row.get(name) for row in rows] for name in schema.names}


def _check_lengths(schema: Schema, lengths: List[int]) -> None:
    for column, length in zip(schema, lengths):
        if length != lengths[0]:
            first = quoted(schema.columns[0].name)
            raise InvalidArgument(
                f"column {quoted(column.name)} has {length} rows, column {first} has "
                f"{lengths[0]}; all columns are of one length"
            )
