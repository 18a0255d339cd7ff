"""`duckdb`: a connection of DuckDB that sees every dataset of one commit as a view."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import functools
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from otolith.commit import Commit
from otolith.data import Data
from otolith.errors import InvalidArgument, quoted, shown
from otolith.optional import needed
from otolith.pushdown import MIRRORED, VALUES_MAX, Predicates, Pushed
from otolith.snapshot import Snapshot
from otolith.table import Table
from otolith.times import Zone

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from otolith.database import Database

_COMPARISONS = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">",
    "greater_equal": ">=",
}  # fmt: skip
_LITERAL = object()  # what a call of a predicate is made of: a constant, its value behind it
_FIELD = object()  # a column, its name behind it


def duckdb(
    db: Union[Database, Snapshot], at: Union[int, str, Commit, None] = None
) -> DuckDBPyConnection:
    """A connection of DuckDB in memory with every dataset as a view, all as of one commit: `at` as
    in `db.at`, HEAD as of the call where it is left out.

    Each query reads the columns, the range of time and the rows that DuckDB asks for; it asks for
    comparisons with constants, IN, BETWEEN, IS NULL and what AND, OR and NOT make of them; IN of
    more than 10,000 values stays with DuckDB. What is read is held in memory until the query has
    ended; what DuckDB has to have otherwise, its times and what is filtered again, is made a batch
    at a time.

    Times are TIMESTAMPTZ, which has microseconds: later digits are cut off. Text is compared with
    them in the database's time zone, an IANA name or whole hours from UTC. DuckDB's names ignore
    the case of letters: of columns `x` and `X` the second is `X_1`.

    Collections are left out: documents have no columns.

    InvalidArgument where the names of two tables differ in case only, and for a time zone that
    DuckDB lacks. ModuleNotFoundError without DuckDB 1.1 and PyArrow 15, or newer ones.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
    >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
    >>> oto.duckdb(db).sql("select sum(n) from t where time >= '2026-01-06'").fetchall()
    [(2,)]
    """
    library = needed("duckdb", "oto.duckdb")
    dataset = _dataset_class()
    if isinstance(db, Snapshot):
        if at is not None:
            raise InvalidArgument("at=: a snapshot is of one commit; give it the database")
        snapshot = db
    elif hasattr(db, "at"):
        snapshot = db.at("HEAD" if at is None else at)
    else:
        raise InvalidArgument(f"duckdb({shown(db)}): give a database, or db.at(...)")
    names = [name for name in snapshot if isinstance(snapshot[name], Table)]
    _refuse_same_names(names)
    zone = _zone_name(snapshot._zone)
    connection: DuckDBPyConnection = library.connect()
    try:
        connection.execute(f"SET TimeZone = '{zone}'")
    except library.Error:
        raise _no_zone(zone) from None
    for name in names:
        connection.register(name, dataset(snapshot[name]))
    return connection


def _refuse_same_names(names: Sequence[str]) -> None:
    """InvalidArgument where DuckDB, which folds ASCII letters only, takes two names for one."""
    seen: Dict[bytes, str] = {}
    for name in names:
        other = seen.setdefault(name.encode().lower(), name)
        if other != name:
            raise InvalidArgument(
                f"duckdb: datasets {quoted(other)} and {quoted(name)} differ in case only, which "
                "DuckDB's names ignore; rename one with db.rename(...), or give one of them to a "
                "connection of your own: connection.register('other', table.read().to_arrow())"
            )


def _zone_name(zone: Optional[Zone]) -> str:
    """As DuckDB has it: its IANA name, or that of whole hours from UTC."""
    if zone is None:
        return "UTC"
    if zone.key is not None:
        return zone.key
    if zone.offset is None:
        raise _no_zone(zone.name)
    hours, rest = divmod(zone.offset, datetime.timedelta(hours=1))
    if rest or not -12 <= hours <= 14:
        raise _no_zone(zone.name)
    return f"Etc/GMT{-hours:+}" if hours else "UTC"  # whose signs are those of POSIX


def _no_zone(name: str) -> InvalidArgument:
    return InvalidArgument(
        f"duckdb: DuckDB has no time zone {quoted(name)}, in which the database was opened; open "
        "it with timezone= an IANA name, 'Asia/Kolkata', or whole hours from UTC, from -12 to 14"
    )


@functools.lru_cache(maxsize=None)
def _dataset_class() -> Any:
    """The class of what DuckDB scans: it hands columns and filters to datasets of PyArrow only."""
    arrow = needed("pyarrow.dataset", "oto.duckdb")
    pa = needed("pyarrow", "oto.duckdb")
    before_2 = int(needed("duckdb", "oto.duckdb").__version__.partition(".")[0]) < 2

    class TableDataset(arrow.Dataset):  # type: ignore[misc, name-defined]
        """A table as of one commit; nothing of the class it stands in for but what is here."""

        def __init__(self, table: Table) -> None:
            self._table = table
            self._predicates = Predicates(table.schema)
            self._arrow = _in_microseconds(pa.table(table.head(0)), pa).schema

        @property
        def schema(self) -> Any:
            return self._arrow

        def scanner(self, columns: Any = None, filter: Any = None, **options: Any) -> Any:
            names = self._arrow.names if columns is None else list(columns)
            pushed, fields = (Pushed(), names) if filter is None else self._pushed(filter)
            asked = names if pushed.exact else list(dict.fromkeys([*names, *fields]))
            data = self._table.read(
                pushed.start, pushed.stop, columns=asked, where=pushed.where, order="stored"
            )
            if pushed.exact:
                return _Scanner(data, names, None, pa)
            if before_2 and any(map(self._predicates.is_float, fields)):
                raise InvalidArgument(
                    f"DuckDB before 2.0 writes {filter} as if NaN were no number, and asks no "
                    "more; install DuckDB 2.0"
                )
            return _Scanner(data, names, filter, pa)

        def _pushed(self, predicate: Any) -> Tuple[Pushed, List[str]]:
            """What the table is asked, and the columns that the predicate is about."""
            try:
                translator = _Translator(self._predicates, pa)
                pushed = translator.pushed(predicate)
                return self._predicates.settled(pushed), translator.fields
            except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
                # As versions of PyArrow write it that we do not know.
                return Pushed(exact=False), self._arrow.names

        def __reduce__(self) -> Any:
            raise TypeError("a table of an open database is not pickled")

    return TableDataset


class _Scanner:
    """What DuckDB asks of a scanner: its rows, as a reader that makes a batch when it is asked."""

    def __init__(self, data: Data, names: Sequence[str], filter: Any, pa: Any) -> None:
        self._reader = pa.RecordBatchReader.from_stream(data)
        self._names = list(names)
        self._filter = filter
        self._pa = pa
        self.projected_schema = self._made(self._reader.schema.empty_table()).schema

    def to_reader(self) -> Any:
        return self._pa.RecordBatchReader.from_batches(self.projected_schema, self._batches())

    def _batches(self) -> Iterator[Any]:
        for batch in self._reader:
            yield from self._made(self._pa.Table.from_batches([batch])).to_batches()

    def _made(self, rows: Any) -> Any:
        rows = _in_microseconds(rows, self._pa)
        return rows if self._filter is None else rows.filter(self._filter).select(self._names)


def _in_microseconds(table: Any, pa: Any) -> Any:
    """The same with times as DuckDB has them: microseconds, the earlier ones."""
    for i, field in enumerate(table.schema):
        if not pa.types.is_timestamp(field.type):
            continue
        times = table.column(i)
        chunks = [_cut(chunk, pa) for chunk in times.chunks]
        zoned = pa.timestamp("us", "UTC")
        made = pa.chunked_array(chunks, zoned)
        table = table.set_column(i, pa.field(field.name, zoned, field.nullable), made)
    return table


def _cut(times: Any, pa: Any) -> Any:
    """Times of ns as those of us that are not later."""
    ns = (
        np.frombuffer(times.buffers()[1], np.int64, len(times), times.offset * 8)
        if len(times)
        else np.empty(0, np.int64)
    )
    us = pa.py_buffer(ns // 1000)
    valid = times.is_valid().buffers()[1] if times.null_count else None
    return pa.Array.from_buffers(pa.timestamp("us", "UTC"), len(times), [valid, us])


class _Translator:
    """Reads a filter of PyArrow by how it is written out: the calls of functions one after the
    other, each with its arguments before its end.
    """

    def __init__(self, predicates: Predicates, pa: Any) -> None:
        self._predicates = predicates
        self._pa = pa
        self.fields: List[str] = []

    def pushed(self, predicate: Any) -> Pushed:
        _, (buffer,) = predicate.__reduce__()
        batch = self._pa.ipc.open_file(buffer).get_batch(0)
        self._columns = batch.columns
        text = batch.schema.to_string(truncate_metadata=False, show_field_metadata=False)
        lines = text.partition("-- schema metadata --\n")[2].splitlines()
        self._words = [_word(line) for line in lines]
        self._at = 0
        found = self._next()
        if self._at != len(self._words):
            raise ValueError("a filter that is longer than it should be")
        return self._predicates.all_of([self._meaning(found)])

    def _next(self) -> Any:
        kind, value = self._words[self._at]
        self._at += 1
        if kind == "field_ref":
            self.fields.append(value)
            return (_FIELD, value)
        if kind == "literal":
            return (_LITERAL, self._columns[int(value)])
        if kind != "call":
            raise ValueError(kind)
        arguments: List[Any] = []
        options: Dict[str, Any] = {}
        while True:
            kind, text = self._words[self._at]
            if kind == "end":
                self._at += 1
                return (text, arguments, options)
            if kind == "options":
                self._at += 1
                options = self._columns[int(text)]
            else:
                arguments.append(self._next())

    def _meaning(self, node: Any) -> Optional[Pushed]:
        function, arguments = node[0], node[1]
        if function is _FIELD:
            return self._predicates.true(arguments)
        if function is _LITERAL:
            return None
        if function in ("and_kleene", "and"):
            return self._predicates.all_of([self._meaning(each) for each in arguments])
        if function in ("or_kleene", "or"):
            return self._predicates.any_of([self._meaning(each) for each in arguments])
        if function == "invert":
            return self._predicates.inverse(self._meaning(arguments[0]))
        if function in _COMPARISONS:
            return self._compare(arguments[0], _COMPARISONS[function], arguments[1])
        if function in ("is_null", "is_valid") and arguments[0][0] is _FIELD:
            return self._null(arguments[0][1], function == "is_null", node[2])
        if function == "is_nan" and arguments[0][0] is _FIELD:
            return self._predicates.nan(arguments[0][1])
        if function == "is_in" and arguments[0][0] is _FIELD:
            return self._member(arguments[0][1], node[2])
        if function == "if_else" and arguments[2][0] is _LITERAL:
            return self._where_valid(arguments)
        return None

    def _null(self, name: str, is_null: bool, options: Any) -> Optional[Pushed]:
        if is_null and len(options) and options[0].as_py().get("nan_is_null"):
            return None
        return self._predicates.null(name, is_null)

    def _where_valid(self, arguments: Sequence[Any]) -> Optional[Pushed]:
        """if_else(valid, condition, null): both have to be true; where not, it may be null."""
        if arguments[2][1][0].as_py() is not None:
            return None
        both = self._predicates.all_of([self._meaning(each) for each in arguments[:2]])
        return dataclasses.replace(both, negatable=False)

    def _compare(self, left: Any, op: str, right: Any) -> Optional[Pushed]:
        if left[0] is _LITERAL:
            left, op, right = right, MIRRORED[op], left
        if left[0] is not _FIELD or right[0] is not _LITERAL:
            return None
        value = right[1][0]
        if not value.is_valid:
            return None
        if self._pa.types.is_timestamp(value.type):
            us = _microseconds(value, self._pa)
            return None if us is None else self._predicates.compare_time(
                left[1], op, us * 1000, us * 1000 + 999
            )  # fmt: skip
        plain = value.as_py()
        if isinstance(plain, (datetime.date, datetime.time)):
            return None
        return self._predicates.compare(left[1], op, plain)

    def _member(self, name: str, options: Any) -> Optional[Pushed]:
        given = options[0]["value_set"].values
        if given.null_count or len(given) > VALUES_MAX:
            return None
        if self._pa.types.is_timestamp(given.type):
            if given.type.tz is None or given.type.unit != "us":
                return None
            each = given.cast(self._pa.int64()).to_pylist()
            times = [
                self._predicates.compare_time(name, "==", us * 1000, us * 1000 + 999) for us in each
            ]
            return self._predicates.any_of(times) if times else None
        values = given.to_pylist()
        if any(isinstance(value, (datetime.date, datetime.time)) for value in values):
            return None
        if any(isinstance(value, decimal.Decimal) and not value.is_finite() for value in values):
            return None
        return self._predicates.member(name, values)


def _word(line: str) -> Any:
    kind, _, value = line.partition(": ")
    if not (value.startswith("'") and value.endswith("'")):
        raise ValueError("a filter that is written in another way")
    return kind, value[1:-1]


def _microseconds(value: Any, pa: Any) -> Optional[int]:
    if value.type.tz is None or value.type.unit != "us":
        return None
    return int(value.value)
