"""Rows that were read: NumPy, pandas and Python views of them, without a copy where that can be."""

from __future__ import annotations

import datetime
import decimal
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

import numpy as np
import numpy.typing as npt

from otolith import _core
from otolith.display import preview_html, preview_text
from otolith.errors import InvalidArgument, NotFound, nearest, quoted, shown
from otolith.optional import needed
from otolith.schema import Schema, schema_of

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


class Data:
    """The result of a read: columns of one length, in the order of `columns`; immutable.

    Arrays are read-only and keep the result alive. Times are datetime64[ns] in UTC; text, binary
    and decimals are arrays of str, bytes and Decimal objects, None where null; other columns with
    nulls are masked arrays.

    >>> db = oto.open(":memory:")
    >>> table = db.create_table("quotes", {"time": "timestamp", "bid": "float64"})
    >>> _ = table.append({"time": ["2026-01-05", "2026-01-06"], "bid": [1.5, None]})
    >>> d = table.read()
    >>> d["bid"]
    masked_array(data=[1.5, --],
                 mask=[False,  True],
           fill_value=1e+20)
    >>> d
    2 rows × 2 columns
    time                  bid
    timestamp             float64
    2026-01-05T00:00:00Z      1.5
    2026-01-06T00:00:00Z     null
    """

    def __init__(self, core: _core.Data) -> None:
        self._core = core
        self._schema: Optional[Schema] = None

    @property
    def schema(self) -> Schema:
        """The columns of this result, in order."""
        if self._schema is None:
            self._schema = schema_of(self._core.schema)
        return self._schema

    @property
    def columns(self) -> List[str]:
        """Names of the columns, in order."""
        return self.schema.names

    def __len__(self) -> int:
        return self._core.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.columns

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """One column as a read-only NumPy array; NotFound names the nearest column."""
        index = self._place(name)
        if self.schema[name].dtype.name != "string":
            return numpy_array(self._core.column(index))
        texts = np.empty(len(self), object)
        self._core.fill_texts(index, texts)
        texts.flags.writeable = False
        return texts

    @property
    def zero_copy(self) -> Dict[str, bool]:
        """Per column, True if its array lies in a mapped file of the database, or in the memory of
        a ":memory:" database.

        Text, binary, decimals and columns with nulls are made for NumPy and never are.

        >>> oto.open(":memory:").create_table("t", {"time": "timestamp"}).read().zero_copy
        {'time': False}
        """
        return {
            column.name: column.dtype.numpy.kind != "O"
            and self._core.zero_copy(i)
            and self._core.column(i).null_count == 0
            for i, column in enumerate(self.schema)
        }

    def batches(self) -> List[Data]:
        """The pieces this result is made of, in order: one per row group, zero-copy more often.

        >>> oto.open(":memory:").create_table("t", {"time": "timestamp"}).read().batches()
        []
        """
        return list(self.pieces())

    def pieces(self, reverse: bool = False) -> Iterator[Data]:
        """The same one after the other, each made when its turn comes; `reverse` from the last.

        >>> list(oto.open(":memory:").create_table("t", {"time": "timestamp"}).read().pieces())
        []
        """
        count = self._core.batch_count
        for i in reversed(range(count)) if reverse else range(count):
            yield Data(self._core.batch(i))

    def arrays(self) -> Dict[str, _core.Array]:
        """The columns as the core has them, to be appended elsewhere without a copy."""
        return {name: self._core.column(i) for i, name in enumerate(self.columns)}

    def to_numpy(self) -> Dict[str, npt.NDArray[Any]]:
        """All columns, by name, as `d[name]` gives them.

        >>> oto.open(":memory:").create_table("t", {"time": "timestamp"}).read().to_numpy()
        {'time': array([], dtype='datetime64[ns]')}
        """
        return {name: self[name] for name in self.columns}

    def to_pandas(self, index: Optional[str] = None, copy: bool = False) -> pandas.DataFrame:
        """A DataFrame; times are UTC, `index` names the column that becomes the index.

        It shares memory with this result where that can be, and what is shared is read-only:
        setting single values raises "assignment destination is read-only". `copy=True` gives a
        DataFrame of its own memory, to be written to.

        Nulls are NaN in floats, NaT in times, None or NaN in text as pandas likes it; integers with
        nulls become pandas' nullable integers (`Int64` and so on), booleans with nulls `boolean`.

        >>> db = oto.open(":memory:")
        >>> table = db.create_table("t", {"time": "timestamp", "n": "int8"})
        >>> _ = table.append([{"time": "2026-01-05", "n": 1}, {"time": "2026-01-06"}])
        >>> table.read().to_pandas(index="time")
                                      n
        time
        2026-01-05 00:00:00+00:00     1
        2026-01-06 00:00:00+00:00  <NA>
        """
        pd = needed("pandas", "to_pandas")
        if index is not None:
            self._place(index)
        series = {name: _to_series(self[name], pd) for name in self.columns}
        frame: pandas.DataFrame = pd.DataFrame(
            series, index=None if series else range(len(self)), copy=copy
        )
        return frame if index is None else frame.set_index(index)

    def to_polars(self) -> polars.DataFrame:
        """A Polars DataFrame; it shares memory with this result where that can be.

        Times are Datetime("ns", "UTC"), decimals Decimal, nulls nulls. ModuleNotFoundError without
        Polars.

        >>> db = oto.open(":memory:")
        >>> table = db.create_table("t", {"time": "timestamp", "n": "int8"})
        >>> _ = table.append({"time": "2026-01-05", "n": 1})
        >>> table.read().to_polars()["n"].to_list()
        [1]
        """
        frame: polars.DataFrame = needed("polars", "to_polars").DataFrame(self)
        return frame

    def to_arrow(self) -> pyarrow.Table:
        """A PyArrow Table of as many chunks as this result has pieces, sharing memory with it.

        Times are timestamp("ns", "UTC"), text large_string, binary large_binary.
        ModuleNotFoundError without PyArrow.

        >>> oto.open(":memory:").create_table("t", {"time": "timestamp"}).read().to_arrow().num_rows
        0
        """
        return needed("pyarrow", "to_arrow").table(self)

    def to_pylist(self, times: str = "datetime") -> List[Dict[str, Any]]:
        """A dict per row, nulls as None; times as aware datetimes, or as int ns with `times="ns"`.

        InvalidArgument where a datetime, which has microseconds, would lose nanoseconds.

        >>> db = oto.open(":memory:")
        >>> table = db.create_table("t", {"time": "timestamp", "n": "int8"})
        >>> _ = table.append({"time": "2026-01-05", "n": 1})
        >>> table.read().to_pylist(times="ns")
        [{'time': 1767571200000000000, 'n': 1}]
        """
        if not isinstance(times, str) or times not in ("datetime", "ns"):
            raise InvalidArgument(f"times={shown(times)}: choose 'datetime' or 'ns'")
        if not self.columns:
            return [{} for _ in range(len(self))]
        lists = [_to_list(self[name], name, times) for name in self.columns]
        return [dict(zip(self.columns, row)) for row in zip(*lists)]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow C stream interface: a record batch per piece, sharing memory with this result.

        It makes `polars.DataFrame(d)`, `pyarrow.table(d)` and DuckDB's `from d` work. Nulls stay
        nulls, times are ns in UTC, text is large_string, binary large_binary, decimals decimal128;
        booleans become bits. `requested_schema` is left aside, as the
        interface allows.
        """
        return _core.arrow_stream(self._core)

    def __repr__(self) -> str:
        return preview_text(self)

    def _repr_html_(self) -> str:
        return preview_html(self)

    def _place(self, name: str) -> int:
        names = self.columns
        if name not in names:
            hint = nearest(name, names)
            raise NotFound(f"no column {quoted(name)} was read{hint}; there are {', '.join(names)}")
        return names.index(name)


def numpy_array(column: _core.Array) -> npt.NDArray[Any]:
    """A core Array as NumPy: a view where it has no nulls, masked where it has, text as objects."""
    objects = _objects(column)
    if objects is not None:
        return objects
    values: npt.NDArray[Any] = column.values()
    if column.type == "timestamp":
        values = values.view("M8[ns]")
    if column.null_count == 0:
        return values
    valid = np.unpackbits(column.validity(), count=column.length, bitorder="little")
    return np.ma.MaskedArray(values, mask=valid == 0)


def _objects(column: _core.Array) -> Optional[npt.NDArray[Any]]:
    """The Python objects that values are, where NumPy has no type for them."""
    if column.type not in ("string", "binary") and not column.type.startswith("decimal"):
        return None
    objects = np.empty(column.length, object)
    if column.type == "string":
        column.fill_texts(objects)
    elif column.type == "binary":
        column.fill_bytes(objects)
    else:
        column.fill_decimals(objects, decimal.Decimal)
    objects.flags.writeable = False
    return objects


def _to_series(values: Any, pd: Any) -> Any:
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if values.dtype.kind == "M":
        values = values if mask is None else values.filled(np.datetime64("NaT"))
        return pd.Series(values, copy=False).dt.tz_localize("UTC")
    if mask is None:
        return pd.Series(values, copy=False)
    if values.dtype.kind == "f":
        return pd.Series(values.filled(np.nan), copy=False)
    if values.dtype.kind == "b":
        return pd.Series(pd.arrays.BooleanArray(values.filled(False), mask))
    return pd.Series(pd.arrays.IntegerArray(values.filled(0), mask))


def _to_list(values: Any, name: str, times: str) -> List[Any]:
    if values.dtype.kind == "M" and times == "ns":
        values = values.view(np.int64)
    if values.dtype.kind != "M":
        listed: List[Any] = values.tolist()
        return listed
    rounded = values.astype("M8[us]")
    lost = np.ma.filled(rounded != values, False)
    if lost.any():
        row = int(lost.argmax())
        raise InvalidArgument(
            f"column {quoted(name)}: row {row} is {values[row]}, and a datetime has no "
            "nanoseconds; use times='ns'"
        )
    utc = datetime.timezone.utc
    return [time and time.replace(tzinfo=utc) for time in rounded.tolist()]
