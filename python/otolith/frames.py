"""Values of columns as NumPy has them, and pandas data frames on their way to that; pandas itself
is never imported here.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, Dict, Optional

import numpy as np
import numpy.typing as npt

from otolith.errors import InvalidArgument, quoted
from otolith.schema import Column, Schema
from otolith.times import Mask, either


@dataclasses.dataclass(frozen=True)
class Values:
    """Values of a column as NumPy has them; `null` marks rows that have none; `utc`: aware
    times.
    """

    array: npt.NDArray[Any]
    null: Mask = None
    utc: bool = False
    nan_is_null: bool = False


def is_frame(data: Any) -> bool:
    """True for a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def is_series(data: Any) -> bool:
    """True for a pandas Series, Index or array."""
    pandas = sys.modules.get("pandas")
    kinds = (
        ()
        if pandas is None
        else (pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray)
    )
    return isinstance(data, kinds)


def frame_columns(frame: Any, schema: Schema) -> Dict[Any, Values]:
    """Columns of a DataFrame by name. Where there is no time column, a DatetimeIndex, or an index
    of its name, is it; any other index is left out.
    """
    time = schema.time
    columns: Dict[Any, Values] = {}
    for place, name in enumerate(frame.columns):
        if name in columns:
            raise InvalidArgument(f"the DataFrame has two columns {quoted(name)}")
        column = schema.by_name.get(name) if isinstance(name, str) else None
        columns[name] = series_values(frame.iloc[:, place], keeps_nan(column))
    index = frame.index
    if time not in columns and (index.name == time or _is_datetime_index(index)):
        columns[time] = series_values(index)
    return columns


def keeps_nan(column: Optional[Column]) -> bool:
    """True for a column of floats, where NaN is a value."""
    return column is not None and column.dtype.name.startswith("float")


def series_values(values: Any, nan_is_value: bool = False) -> Values:
    """Values of a Series, an Index or a pandas array: nullable, categorical, zoned and text too.

    Among objects pandas takes NaN for missing, as in text; with `nan_is_value` it stays NaN.
    """
    pandas = sys.modules["pandas"]
    series = values if isinstance(values, pandas.Series) else pandas.Series(values)
    if type(series.dtype).__name__ == "SparseDtype":
        series = series.sparse.to_dense()
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return Values(series.to_numpy())
    if type(dtype).__name__ == "CategoricalDtype":
        return _categorical(series, nan_is_value)
    if getattr(dtype, "tz", None) is not None:
        return Values(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), utc=True)
    null = series.isna().to_numpy()
    mask = null if null.any() else None
    numpy_dtype = getattr(dtype, "numpy_dtype", None)
    if isinstance(numpy_dtype, np.dtype) and numpy_dtype.kind in "biuf":
        return Values(series.to_numpy(dtype=numpy_dtype, na_value=numpy_dtype.type(0)), mask)
    if nan_is_value:
        return Values(series.to_numpy(dtype=object))  # whoever takes it looks for nulls
    return Values(with_none(series.to_numpy(dtype=object), null), mask)


def with_none(objects: npt.NDArray[Any], null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """A copy with None where there is no value."""
    out = objects.copy()
    out[null] = None
    return out


def _is_datetime_index(index: Any) -> bool:
    return isinstance(index, sys.modules["pandas"].DatetimeIndex)


def _categorical(series: Any, nan_is_value: bool) -> Values:
    codes = series.cat.codes.to_numpy()
    categories = series_values(series.cat.categories, nan_is_value)
    null = codes < 0
    if len(categories.array) == 0:
        return Values(np.full(len(codes), None, object))
    places = np.where(null, 0, codes)
    mask = either(
        null if null.any() else None, None if categories.null is None else categories.null[places]
    )
    return Values(categories.array[places], mask, categories.utc)
