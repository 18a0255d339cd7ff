"""Atomic changes over many datasets: staged, then committed all at once, or discarded."""

from __future__ import annotations

import datetime
from types import TracebackType
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Type, Union

import numpy as np

from otolith import _core
from otolith.collection import RecorderCollection
from otolith.commit import Commit
from otolith.data import Data
from otolith.errors import Error, InvalidArgument, quoted
from otolith.expression import Expression
from otolith.incoming import batch_of
from otolith.schema import Schema, schema_of
from otolith.snapshot import dataset_name
from otolith.status import Progress
from otolith.table import Table, delete_request, replace_request
from otolith.times import Zone, to_ns, zone_of


class RecorderTable:
    """One table within a recorder."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder = recorder
        self._name = name
        self._schema = schema_of(recorder.core.schema(name))  # refuses an unknown name at once
        self._rows: Optional[_core.RowWriter] = None
        self._times = [c.name for c in self._schema if c.dtype.name == "timestamp"]

    @property
    def name(self) -> str:
        """The table's name."""
        return self._name

    @property
    def schema(self) -> Schema:
        """The table's schema: that of the rows it has staged, or of HEAD before there are any."""
        core = self._recorder.core.schema(self._name)
        if not self._schema.core.same(core):
            self._schema = schema_of(core)
        return self._schema

    def append(self, data: Any, *, timezone: Any = None, nan: str = "keep") -> None:
        """Stages rows, as `Table.append` takes them; they are copied before it returns.

        Rows that are refused leave what was staged before; rows that could not be written (NoSpace,
        IoError) end the recorder, and `commit` and the end of its `with` raise that error again.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> with db.recorder(message="two") as r:
        ...     r["t"].append({"time": "2026-01-05"})
        ...     r["t"].append({"time": "2026-01-06"})
        >>> r.result.changes
        {'t': (2, 0)}
        """
        zone = self._recorder.zone if timezone is None else zone_of(timezone)
        if type(data) is dict and nan == "keep" and self._append_row(data, zone):
            return
        self._recorder.core.append(self._name, batch_of(data, self.schema, zone, nan))

    def _append_row(self, row: Dict[str, Any], zone: Optional[Zone]) -> bool:
        """Whether it was a row of values that the core takes as they are; else nothing happened."""
        for name in self._times:
            time = row.get(name)
            if type(time) in (str, datetime.datetime, np.datetime64):
                try:
                    row = {**row, name: to_ns(time, zone)}
                except InvalidArgument:
                    return False
        if self._rows is None:
            self._rows = self._recorder.core.rows(self._name)
        return self._rows.append(row)

    def delete(
        self,
        start: Any = None,
        stop: Any = None,
        *,
        keys: Optional[Mapping[str, Any]] = None,
        where: Union[Expression, str, None] = None,
        all: bool = False,
        timezone: Any = None,
    ) -> None:
        """Ends rows as `Table.delete`: of those staged before, which are never written, and those
        that the commit finds; rows staged behind it stay.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> with db.recorder() as r:
        ...     r["t"].append({"time": ["2026-01-05", "2026-01-06"]})
        ...     r["t"].delete(stop="2026-01-06")
        >>> r.result.changes
        {'t': (1, 0)}
        """
        zone = self._recorder.zone if timezone is None else zone_of(timezone)
        rows = delete_request(self.schema, zone, start, stop, keys, where, all)
        self._recorder.core.remove(self._name, rows)

    def replace(
        self,
        start: Any,
        stop: Any,
        data: Any,
        *,
        keys: Optional[Mapping[str, Any]] = None,
        timezone: Any = None,
        nan: str = "keep",
    ) -> None:
        """Ends and stages rows as `Table.replace`, in its place in the order.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"}).append({"time": "2026-01-05"})
        >>> with db.recorder() as r:
        ...     r["t"].replace("2026-01-05", "2026-01-06", {"time": "2026-01-05T12:00"})
        >>> r.result.changes
        {'t': (1, 1)}
        """
        zone = self._recorder.zone if timezone is None else zone_of(timezone)
        rows = replace_request(self.schema, zone, start, stop, keys)
        self._recorder.core.replace(self._name, rows, batch_of(data, self.schema, zone, nan))

    def __len__(self) -> int:
        return self._recorder.core.table(self._name).rows()

    @property
    def time_range(self) -> Optional[Tuple[np.datetime64, np.datetime64]]:
        """As `Table.time_range`, with what is staged."""
        return self._seen().time_range

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
        """Rows as `Table.read` gives them: those of HEAD as of the call, with all that this
        recorder has staged so far applied in its order.

        Conflict if the table was altered or dropped since rows were staged for it.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
        >>> with db.recorder() as r:
        ...     r["t"].delete(where=oto.col("n") == 1)
        ...     r["t"].append({"time": "2026-01-07", "n": 3})
        ...     print(r["t"].read()["n"], len(r["t"]), len(t))
        [2 3] 2 2
        """
        return self._seen().read(
            start, stop, columns=columns, keys=keys, where=where, limit=limit, reverse=reverse,
            order=order, timezone=timezone, progress=progress,
        )  # fmt: skip

    def head(self, n: int = 5) -> Data:
        """The first `n` rows by time, with what is staged."""
        return self._seen().head(n)

    def tail(self, n: int = 5) -> Data:
        """The last `n` rows by time, in ascending order, with what is staged."""
        return self._seen().tail(n)

    def asof(
        self,
        t: Any,
        keys: Optional[Mapping[str, Any]] = None,
        *,
        columns: Union[str, Sequence[str], None] = None,
        timezone: Any = None,
    ) -> Data:
        """The last row of each key at or before `t` as of `Table.asof`, with what is staged."""
        return self._seen().asof(t, keys, columns=columns, timezone=timezone)

    def _seen(self) -> Table:
        return Table(self._recorder.core.table(self._name), self._recorder.zone)

    def __repr__(self) -> str:
        try:
            return f"RecorderTable {self._name}\n{self.schema!r}"
        except Error as error:
            return f"RecorderTable ({error})"


class Recorder:
    """Staged writes for any tables, visible all at once or not at all; of one thread at a time.

    With `with` it commits at the end and discards on an exception. An end without an exception has
    committed, unless `discard` was called.

    >>> db = oto.open(":memory:")
    >>> r = db.recorder(author="ana")
    >>> r.commit() == db.head
    True
    """

    def __init__(self, core: _core.Recorder, zone: Optional[Zone]) -> None:
        self.core = core
        self.zone = zone
        self._tables: Dict[str, Any] = {}
        self._result: Optional[Commit] = None
        self._discarded = False

    @property
    def result(self) -> Optional[Commit]:
        """The commit it made, None before."""
        return self._result

    def __getitem__(self, name: str) -> RecorderTable:
        """A table, or a collection where the name is one's, or nobody's yet: the commit makes it,
        where documents were put in it. To a type checker always a table: see `collection`."""
        table: Any = self._tables.get(name) if type(name) is str and self.core.open() else None
        if table is None:
            name = dataset_name(name)
            documents = self.core.holds_documents(name)
            if documents:
                table = RecorderCollection(self.core, name, self.zone)
            else:
                table = RecorderTable(self, name)
            self._tables[name] = table
        return table  # type: ignore[no-any-return]

    def collection(self, name: str) -> RecorderCollection:
        """A collection; InvalidArgument for a table.

        >>> with oto.open(":memory:").recorder() as r:
        ...     r.collection("notes").put({"_id": "a"})
        ['a']
        """
        found: Any = self[name]
        if isinstance(found, RecorderCollection):
            return found
        raise InvalidArgument(f"{quoted(name)} is a table, which holds rows, not documents")

    def commit(self) -> Commit:
        """Makes everything staged visible as one commit; nothing staged is no commit, HEAD comes
        back. Where an error ended the recorder before, it is raised again.

        >>> oto.open(":memory:").recorder().commit().number
        0
        """
        self._result = Commit(self.core.commit())
        return self._result

    def discard(self) -> None:
        """Forgets everything staged, and an error that ended the recorder.

        >>> oto.open(":memory:").recorder().discard()
        """
        self.core.discard()
        self._discarded = True

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if kind is None:
            if self._result is None and not self._discarded:
                self.commit()
        elif self.core.open():
            self.discard()

    def __repr__(self) -> str:
        if self.core.open():
            return "Recorder (open)"
        if self._result is not None:
            return f"Recorder ({self._result!r})"
        return f"Recorder ({'discarded' if self._discarded else 'failed'})"
