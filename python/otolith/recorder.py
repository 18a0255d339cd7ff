"""Atomic changes over many datasets: staged, then committed all at once, or discarded."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Mapping, Optional, Type

from otolith import _core
from otolith.commit import Commit
from otolith.errors import Error
from otolith.expression import Expression
from otolith.incoming import batch_of
from otolith.schema import Schema, schema_of
from otolith.snapshot import dataset_name
from otolith.table import delete_request, replace_request
from otolith.times import Zone, zone_of


class RecorderTable:
    """One table within a recorder."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder = recorder
        self._name = name
        self._schema = schema_of(recorder.core.schema(name))  # refuses an unknown name at once

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
        self._recorder.core.append(self._name, batch_of(data, self.schema, zone, nan))

    def delete(
        self,
        start: Any = None,
        stop: Any = None,
        *,
        keys: Optional[Mapping[str, Any]] = None,
        where: Optional[Expression] = None,
        all: bool = False,
        timezone: Any = None,
    ) -> None:
        """Ends rows as `Table.delete`: of those staged before, which are never written, and those
        that the commit finds; rows staged behind it stay.

        LimitExceeded where staged rows were too many for memory and stand in a file already.

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
        self._result: Optional[Commit] = None
        self._discarded = False

    @property
    def result(self) -> Optional[Commit]:
        """The commit it made, None before."""
        return self._result

    def __getitem__(self, name: str) -> RecorderTable:
        return RecorderTable(self, dataset_name(name))

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
