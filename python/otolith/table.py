"""A table, live or as of one commit: append to it, read it, delete from it."""

from __future__ import annotations

import operator
import datetime
import decimal
from collections.abc import Iterable
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from otolith import _core
from otolith.asked import many
from otolith.commit import Commit, commit_options
from otolith.data import Data
from otolith.display import escaped, preview_html
from otolith.errors import Error, InvalidArgument, count, flag, quoted, shown, utf8
from otolith.expression import Expression
from otolith.incoming import batch_of
from otolith.schema import Schema, choice, core_change, schema_of
from otolith.status import Progress, progress_of
from otolith.times import Zone, optional_ns, to_ns, zone_of
from otolith.where import core_condition

_ORDERS = {"time": _core.Order.time, "stored": _core.Order.stored}


class Table:
    """A table of a database, which reads HEAD at each call, or of a snapshot, which never changes.

    >>> db = oto.open(":memory:")
    >>> columns = {"time": "timestamp", "symbol": "string", "bid": "float64"}
    >>> quotes = db.create_table("quotes", columns, keys=["symbol"])
    >>> c = quotes.append({"time": ["2026-01-05T09:00", "2026-01-05T09:01"],
    ...                    "symbol": ["AAPL", "MSFT"], "bid": [270.5, 480.25]}, author="ana")
    >>> quotes
    Table quotes: 2 rows, 2026-01-05T09:00:00Z to 2026-01-05T09:01:00Z
    time    timestamp  time
    symbol  string     key
    bid     float64
    partition day · duplicates keep · codec hot
    """

    def __init__(self, core: _core.Table, zone: Optional[Zone]) -> None:
        self._core = core
        self._zone = zone
        self._schema: Optional[Schema] = None

    @property
    def name(self) -> str:
        """Its name as of HEAD, or of its snapshot."""
        return self._core.name

    @property
    def schema(self) -> Schema:
        """Its columns and policies as of HEAD, or of its snapshot."""
        core = self._core.schema
        if self._schema is None or not self._schema.core.same(core):
            self._schema = schema_of(core)
        return self._schema

    def __len__(self) -> int:
        return self._core.rows()

    @property
    def time_range(self) -> Optional[Tuple[np.datetime64, np.datetime64]]:
        """Times of the first and the last row as datetime64[ns] UTC, or None where there is no row.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp"})
        >>> _ = t.append({"time": ["2026-01-06", "2026-01-05"]})
        >>> [str(time)[:10] for time in t.time_range]
        ['2026-01-05', '2026-01-06']
        """
        found = self._core.time_range()
        return found and (np.datetime64(found[0], "ns"), np.datetime64(found[1], "ns"))

    def read(
        self,
        start: Any = None,
        stop: Any = None,
        *,
        columns: Union[str, Sequence[str], None] = None,
        keys: Optional[Mapping[str, Any]] = None,
        where: Union[Expression, str, None] = None,
        limit: Optional[int] = None,
        reverse: bool = False,
        order: str = "time",
        timezone: Any = None,
        progress: Progress = None,
    ) -> Data:
        """Rows of [start, stop): ISO text, datetime, datetime64, Timestamp or int ns UTC; None is
        open.

        `columns` are given in the order asked for; `keys` maps key columns to a value or many of
        them, in any list, array, Series or set; `where` is a condition that must be true of a row,
        `(oto.col("bid") > 90) & oto.col("venue").is_null()`, or the same as text, `"bid > 90 and
        venue is null"` (docs/conditions.md); `limit` counts rows of the result; `reverse` gives
        the last ones first. `order="time"` is stable, `"stored"` is by partition, keys and time,
        and the cheapest. `progress` is True for a bar, or a callable of (rows done, rows in all);
        where it raises, and at Ctrl-C, the read ends. InvalidArgument names the column and the
        nearest name.

        >>> db = oto.open(":memory:")
        >>> columns = {"time": "timestamp", "sensor": "string", "celsius": "float32"}
        >>> t = db.create_table("t", columns, keys=["sensor"])
        >>> _ = t.append([{"time": "2026-01-05T12:00", "sensor": "a", "celsius": 3.5},
        ...               {"time": "2026-01-05T13:00", "sensor": "b", "celsius": 4.5}])
        >>> t.read("2026-01-05", "2026-01-06", columns=["celsius"], keys={"sensor": "b"})["celsius"]
        array([4.5], dtype=float32)
        >>> t.read(where=oto.col("celsius") < 4).to_pylist(times="ns")
        [{'time': 1767614400000000000, 'sensor': 'a', 'celsius': 3.5}]
        >>> t.read(where="celsius * 2 > 8 and sensor like 'b%'")["celsius"]
        array([4.5], dtype=float32)
        """
        in_order = choice("order", order, _ORDERS)
        zone = self._zone_for(timezone)
        request = _core.ReadRequest.make(
            optional_ns(start, zone), optional_ns(stop, zone), _names(columns),
            key_filters(keys, self.schema, zone),
            None if where is None else core_condition(where, self.schema, zone),
            None if limit is None else count("limit", limit), flag("reverse", reverse), in_order,
            progress_of(progress, "row"),
        )  # fmt: skip
        return Data(self._core.read(request))

    def head(self, n: int = 5) -> Data:
        """The first `n` rows by time.

        >>> len(oto.open(":memory:").create_table("t", {"time": "timestamp"}).head())
        0
        """
        return Data(self._core.head(count("n", n)))

    def tail(self, n: int = 5) -> Data:
        """The last `n` rows by time, in ascending order.

        >>> t = oto.open(":memory:").create_table("t", {"time": "timestamp", "n": "int8"})
        >>> _ = t.append({"time": np.arange(9), "n": np.arange(9)})
        >>> t.tail(2)["n"]
        array([7, 8], dtype=int8)
        """
        return Data(self._core.tail(count("n", n)))

    def asof(
        self,
        t: Any,
        keys: Optional[Mapping[str, Any]] = None,
        *,
        columns: Union[str, Sequence[str], None] = None,
        timezone: Any = None,
    ) -> Data:
        """The last row of each key at or before `t`, in the order of keys; of a table without keys
        its last row then. Keys that have no row yet are left out.

        `keys` maps key columns to a value or many of them: named keys are looked for backwards, and
        nothing before the last of them is read. Of rows of one key and time the last one committed
        counts, or the one that `duplicates=` shows.

        >>> db = oto.open(":memory:")
        >>> columns = {"time": "timestamp", "symbol": "string", "bid": "float64"}
        >>> quotes = db.create_table("quotes", columns, keys=["symbol"])
        >>> _ = quotes.append({"time": ["2026-01-05T09:00", "2026-01-05T09:01", "2026-01-05T09:02"],
        ...                    "symbol": ["AAPL", "MSFT", "AAPL"], "bid": [270.5, 480.25, 270.75]})
        >>> quotes.asof("2026-01-05T09:01:30", columns=["symbol", "bid"]).to_pylist()
        [{'symbol': 'AAPL', 'bid': 270.5}, {'symbol': 'MSFT', 'bid': 480.25}]
        >>> quotes.asof("2026-01-06", {"symbol": "AAPL"})["bid"]
        array([270.75])
        """
        zone = self._zone_for(timezone)
        request = _core.AsofRequest.make(
            to_ns(t, zone), _names(columns), key_filters(keys, self.schema, zone)
        )
        return Data(self._core.asof(request))

    def append(
        self,
        data: Any,
        *,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
        progress: Progress = None,
        timezone: Any = None,
        nan: str = "keep",
    ) -> Commit:
        """Adds rows in any order, in one commit: a dict of columns, one dict, a list of dicts, a
        structured array, a DataFrame or the result of a read.

        Rows may leave nullable columns out; columns must all be there, and no others. Values are
        cast where nothing is lost, else InvalidArgument names column, row and value; then nothing
        changes. Arrays are borrowed for the call only. No rows are no commit: HEAD comes back,
        without changes. `change_id` (32 hex digits) makes a retry return the commit that won;
        `extra` is any JSON; `nan="null"` turns NaN into null. `progress` is True for a bar, or a
        callable of (rows done, rows in all), told before the commit; where it raises, nothing is
        committed.

        >>> t = oto.open(":memory:").create_table("t", {"time": "timestamp", "n": "int32"})
        >>> t.append({"time": np.array(["2026-01-05"], "M8[D]"), "n": [7]}, message="seven").changes
        {'t': (1, 0)}
        >>> t.append({"time": "2026-01-05", "n": 2**31})
        Traceback (most recent call last):
        otolith.errors.InvalidArgument: column "n": row 0 is 2147483648, which cannot be kept ...
        """
        options = commit_options(author, message, extra, change_id, progress)
        batch = batch_of(data, self.schema, self._zone_for(timezone), nan)
        return Commit(self._core.append(batch, options))

    def alter(
        self,
        *,
        add: Optional[Mapping[str, Any]] = None,
        drop: Union[str, Sequence[str]] = (),
        rename: Optional[Mapping[str, str]] = None,
        widen: Optional[Mapping[str, Any]] = None,
        metadata: Optional[Mapping[str, Optional[str]]] = None,
        column_metadata: Optional[Mapping[str, Mapping[str, Optional[str]]]] = None,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Changes columns and metadata, in one commit. No row is written again: older commits keep
        their names, types and columns.

        `add` maps new names to types; they are null in rows that are there, and `oto.required` only
        where none ever was. `drop` takes columns away, but not time and keys; `rename` maps old
        names to new ones; `widen` maps names to a larger integer, to float64, or to a decimal of
        more digits. `metadata` sets texts by key, and takes away those that are None;
        `column_metadata` does so for columns. Names are those before the change. What changes
        nothing is no commit: HEAD comes back.

        InvalidArgument names the column; Conflict where a name is taken, or somebody else altered
        the table meanwhile.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp", "bid": "float32", "size": "int8"})
        >>> _ = t.append({"time": "2026-01-05", "bid": 1.5, "size": 7})
        >>> _ = t.alter(add={"venue": oto.string}, drop="size", rename={"bid": "best_bid"},
        ...             widen={"bid": oto.float64}, message="a venue each")
        >>> t.read().to_pylist(times="ns")
        [{'time': 1767571200000000000, 'best_bid': 1.5, 'venue': None}]
        >>> db.at("HEAD~1")["t"].read(columns=["bid", "size"]).to_pylist()
        [{'bid': 1.5, 'size': 7}]
        """
        options = commit_options(author, message, extra, change_id)
        change = core_change(add, drop, rename, widen, metadata, column_metadata)
        return Commit(self._core.alter(change, options))

    def delete(
        self,
        start: Any = None,
        stop: Any = None,
        *,
        keys: Optional[Mapping[str, Any]] = None,
        where: Union[Expression, str, None] = None,
        all: bool = False,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
        timezone: Any = None,
    ) -> Commit:
        """Ends the rows of [start, stop) with these `keys` where `where` is true, in one commit.
        Older commits go on showing them.

        Rows that others append or end before the commit count as if it had been so at the call;
        Conflict if the schema changed meanwhile. No row is no commit: HEAD comes back, without
        changes. Nothing named is InvalidArgument: `all=True` ends every row.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06", "2026-01-07"], "n": [1, 2, 3]})
        >>> t.delete("2026-01-06", where=oto.col("n") < 3, message="a mistake").changes
        {'t': (0, 1)}
        >>> t.read()["n"], db.at("HEAD~1")["t"].read()["n"]
        (array([1, 3], dtype=int32), array([1, 2, 3], dtype=int32))
        >>> t.delete()
        Traceback (most recent call last):
        otolith.errors.InvalidArgument: a delete without a range, keys or a condition would end ...
        """
        options = commit_options(author, message, extra, change_id)
        zone = self._zone_for(timezone)
        rows = delete_request(self.schema, zone, start, stop, keys, where, all)
        return Commit(self._core.remove(rows, options))

    def replace(
        self,
        start: Any,
        stop: Any,
        data: Any,
        *,
        keys: Optional[Mapping[str, Any]] = None,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
        progress: Progress = None,
        timezone: Any = None,
        nan: str = "keep",
    ) -> Commit:
        """Ends the rows of [start, stop) with these `keys` and adds `data`, in one commit; None is
        open.

        Ends as `delete` and takes data as `append`; InvalidArgument where a row is outside
        of the range or has other keys.

        >>> t = oto.open(":memory:").create_table("t", {"time": "timestamp", "n": "int32"})
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
        >>> t.replace("2026-01-06", "2026-01-07", {"time": "2026-01-06T12:00", "n": 20}).changes
        {'t': (1, 1)}
        >>> t.read()["n"]
        array([ 1, 20], dtype=int32)
        """
        options = commit_options(author, message, extra, change_id, progress)
        zone = self._zone_for(timezone)
        schema = self.schema
        rows = replace_request(schema, zone, start, stop, keys)
        return Commit(self._core.replace(rows, batch_of(data, schema, zone, nan), options))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """All rows as an Arrow stream, as the result of `read` gives it: `polars.DataFrame(table)`,
        `pyarrow.table(table)` and DuckDB's `from table` work, and `append` of another table.
        """
        return self.read().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        try:
            rows, times = len(self), self.time_range
            span = "" if times is None else ", {} to {}".format(*map(_iso, times))
            plural = "" if rows == 1 else "s"
            return f"Table {self.name}: {rows:,} row{plural}{span}\n{self.schema!r}"
        except Error as error:
            return f"Table ({error})"

    def _repr_html_(self) -> str:
        try:
            named, _, schema = repr(self).partition("\n")
            policies = schema.rpartition("\n")[2]
            return f"<div>{escaped(named)}<br>{escaped(policies)}</div>" + preview_html(
                self.head(10)
            )
        except Error as error:
            return f"<div>{escaped(f'Table ({error})')}</div>"

    def _zone_for(self, timezone: Any) -> Optional[Zone]:
        return self._zone if timezone is None else zone_of(timezone)


def delete_request(
    schema: Schema,
    zone: Optional[Zone],
    start: Any,
    stop: Any,
    keys: Optional[Mapping[str, Any]],
    where: Union[Expression, str, None],
    every: Any,
) -> _core.DeleteRequest:
    """What `delete` was asked, of a table with this schema."""
    return _core.DeleteRequest.make(
        optional_ns(start, zone), optional_ns(stop, zone), key_filters(keys, schema, zone),
        None if where is None else core_condition(where, schema, zone), flag("all", every),
    )  # fmt: skip


def replace_request(
    schema: Schema, zone: Optional[Zone], start: Any, stop: Any, keys: Optional[Mapping[str, Any]]
) -> _core.ReplaceRequest:
    """What `replace` was asked, of a table with this schema."""
    return _core.ReplaceRequest.make(
        optional_ns(start, zone), optional_ns(stop, zone), key_filters(keys, schema, zone)
    )


def key_filters(
    keys: Optional[Mapping[str, Any]], schema: Schema, zone: Optional[Zone]
) -> List[Tuple[str, List[Any]]]:
    """Key columns and the values asked for, as `keys=` was given."""
    if keys is None:
        return []
    if not isinstance(keys, Mapping):
        raise InvalidArgument("keys: give a dict of key columns and values, {'symbol': ['AAPL']}")
    for name in keys:
        if not isinstance(name, str):
            raise InvalidArgument(f"keys: {shown(name)} is no name of a column")
    kinds = {column.name: column.dtype.kind for column in schema}
    return [
        (
            utf8("keys:", name),
            [_key(name, v, zone, kinds.get(name, "")) for v in many(values, zone)],
        )
        for name, values in keys.items()
    ]


def _iso(time: np.datetime64) -> str:
    return _core.timestamp_format(int(time.astype(np.int64)))


def _names(columns: Union[str, Sequence[str], None]) -> Optional[List[str]]:
    if columns is None:
        return None
    if not isinstance(columns, Iterable):
        raise InvalidArgument(f"columns={shown(columns)}: give a list of names of columns")
    names = [columns] if isinstance(columns, str) else list(columns)
    for name in names:
        if not isinstance(name, str):
            raise InvalidArgument(f"columns: {shown(name)} is no name of a column")
    return [utf8("columns:", name) for name in names]


def _key(name: str, value: Any, zone: Optional[Zone], kind: str) -> Any:
    binary = isinstance(value, (bytes, bytearray, memoryview))
    if kind and binary != (kind == "binary"):
        wanted = "bytes" if kind == "binary" else f"what {kind} values are"
        raise InvalidArgument(f"keys: {quoted(name)} is asked for as {shown(value)}; give {wanted}")
    if binary:
        return bytes(value)
    if isinstance(value, decimal.Decimal) or (kind == "decimal" and isinstance(value, int)):
        return str(value)
    if isinstance(value, str):
        return (
            to_ns(value, zone)
            if kind == "timestamp"
            else str(utf8(f"keys: {quoted(name)} as", value))
        )
    if isinstance(value, (datetime.date, np.datetime64)):
        return to_ns(value, zone)
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidArgument(
            f"keys: {quoted(name)} is asked for as {shown(value)}; give text or ints"
        ) from None
    if not -(2**63) <= number < 2**64:
        raise InvalidArgument(
            f"keys: {quoted(name)} is asked for as {shown(number)}, beyond 64 bits"
        )
    return number
