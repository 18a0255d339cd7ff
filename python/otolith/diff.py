"""How two states of a database differ, and who wrote what a table shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from otolith import _core
from otolith.commit import Commit
from otolith.collection import Collection
from otolith.data import Data
from otolith.display import html_table, outer
from otolith.document_diff import ChangedDocuments, Documents
from otolith.dtypes import DType, dtype_of
from otolith.errors import InvalidArgument, NotFound, nearest, quoted
from otolith.status import counted
from otolith.table import Table, key_filters
from otolith.times import Zone, optional_ns

_PIECE_ROWS = 1 << 16  # about as many are read at once


class DiffRows(Table):
    """Rows of one side of a difference: a table that shows these and no others.

    `len` counts them without reading; iterating gives a dict a row, by time, read piece by piece.
    `read` and the other reading verbs work as on any table.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
    >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
    >>> added = db.diff("HEAD~1", "HEAD")["t"].added
    >>> len(added), [row["n"] for row in added], added.read("2026-01-06")["n"]
    (2, [1, 2], array([2], dtype=int32))
    """

    def __init__(self, core: _core.DiffRows, zone: Optional[Zone]) -> None:
        super().__init__(core.table, zone)
        self._count: int = core.rows

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Dict[str, Any]]:
        return self.rows()

    def rows(self, times: str = "datetime") -> Iterator[Dict[str, Any]]:
        """A dict a row, as of `Data.to_pylist`; `times="ns"` gives times as int ns.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp"})
        >>> _ = t.append({"time": "2026-01-05"})
        >>> list(db.diff("HEAD~1", "HEAD")["t"].added.rows(times="ns"))
        [{'time': 1767571200000000000}]
        """
        for piece in self.pieces():
            yield from piece.to_pylist(times)

    def pieces(self) -> Iterator[Data]:
        """The rows by time, in results of some ten thousand rows each, however many there are.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp"})
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"]})
        >>> [len(piece) for piece in db.diff("HEAD~1", "HEAD")["t"].added.pieces()]
        [2]
        """
        span = self._core.time_range()
        if span is None:
            return
        count = len(self) // _PIECE_ROWS + 1
        step = (span[1] - span[0]) // count + 1
        bounds = [None, *(span[0] + i * step for i in range(1, count)), None]
        for start, stop in zip(bounds, bounds[1:]):
            yield self.read(start, stop)


class Changed:
    """Rows of a table that has one of each keys and time (`duplicates` "error", "last" or "first"),
    where both states have one and not the same.

    `before` and `after` are the rows as they were and as they are, row by row; `len` counts them,
    iterating gives pairs of dicts.

    >>> db = oto.open(":memory:")
    >>> columns = {"time": "timestamp", "n": "int32"}
    >>> t = db.create_table("t", columns, duplicates="last")
    >>> _ = t.append({"time": "2026-01-05", "n": 1})
    >>> _ = t.append({"time": "2026-01-05", "n": 2})
    >>> [(was["n"], now["n"]) for was, now in db.diff("HEAD~1", "HEAD")["t"].changed]
    [(1, 2)]
    """

    def __init__(self, before: DiffRows, after: DiffRows) -> None:
        self.before = before
        self.after = after

    def __len__(self) -> int:
        return len(self.after)

    def __iter__(self) -> Iterator[Tuple[Dict[str, Any], Dict[str, Any]]]:
        return zip(self.before, self.after)

    def __repr__(self) -> str:
        return counted(len(self), "changed row")


class SchemaDiff:
    """What `alter` would be told to get from the first schema to the second; false where nothing.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "bid": "float32"})
    >>> _ = t.alter(add={"venue": oto.string}, rename={"bid": "best_bid"})
    >>> db.diff("HEAD~1", "HEAD")["t"].schema
    add venue string, rename bid to best_bid
    """

    def __init__(self, core: _core.DatasetDiff) -> None:
        self.add: Dict[str, DType] = {name: dtype_of(dtype) for name, dtype in core.add}
        self.drop: List[str] = core.drop
        self.rename: Dict[str, str] = core.rename
        self.widen: Dict[str, DType] = {name: dtype_of(d) for name, d in core.widen.items()}
        self.metadata: Dict[str, Optional[str]] = core.metadata
        self.column_metadata: Dict[str, Dict[str, Optional[str]]] = core.column_metadata

    def __bool__(self) -> bool:
        return any(
            (self.add, self.drop, self.rename, self.widen, self.metadata, self.column_metadata)
        )

    def __repr__(self) -> str:
        words = [f"add {name} {dtype.name}" for name, dtype in self.add.items()]
        words += [f"drop {name}" for name in self.drop]
        words += [f"rename {name} to {to}" for name, to in self.rename.items()]
        words += [f"widen {name} to {dtype.name}" for name, dtype in self.widen.items()]
        words += [f"note {key}" for key in self.metadata]
        words += [f"note of column {name}" for name in self.column_metadata]
        return ", ".join(words) or "no changes"


class DatasetDiff:
    """How one dataset differs: `added`, `removed` and `changed` rows, and its columns in `schema`.

    `before` and `after` are its names, None where it does not exist. Rows that were added are shown
    under the second schema, those that were removed under the first. Of a collection they are
    Documents and ChangedDocuments; to a type checker they are always rows.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
    >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
    >>> _ = t.delete("2026-01-06")
    >>> of = db.diff(1, "HEAD")["t"]
    >>> of, len(of.added), len(of.removed), of.created
    (t: 1 row added, 1, 0, False)
    """

    def __init__(self, core: _core.DatasetDiff, zone: Optional[Zone]) -> None:
        self.name: str = core.name
        self.before: Optional[str] = core.before
        self.after: Optional[str] = core.after
        self.schema = SchemaDiff(core)
        self._documents: bool = core.documents is not None
        self.added = DiffRows(core.added, zone)
        self.removed = DiffRows(core.removed, zone)
        self.changed = Changed(
            DiffRows(core.changed_before, zone), DiffRows(core.changed_after, zone)
        )
        if core.documents is not None:
            counts = len(self.added), len(self.removed), len(self.changed)
            documents: _core.DocumentDiff = core.documents
            self.added = Documents(documents, counts[0], "after")  # type: ignore[assignment]
            self.removed = Documents(documents, counts[1], "before")  # type: ignore[assignment]
            self.changed = ChangedDocuments(documents, counts[2])  # type: ignore[assignment]

    @property
    def created(self) -> bool:
        """Whether only the second state has it."""
        return self.before is None

    @property
    def dropped(self) -> bool:
        """Whether only the first state has it."""
        return self.after is None

    @property
    def renamed(self) -> bool:
        """Whether both have it, by different names."""
        return None not in (self.before, self.after) and self.before != self.after

    def _fate(self) -> List[str]:
        words = ["created"] if self.created else ["dropped"] if self.dropped else []
        return words + ([f"was called {self.before}"] if self.renamed else [])

    def __repr__(self) -> str:
        words = self._fate()
        counts = {
            "added": len(self.added), "removed": len(self.removed), "changed": len(self.changed)
        }  # fmt: skip
        thing = "document" if self._documents else "row"
        words += [f"{counted(rows, thing)} {what}" for what, rows in counts.items() if rows]
        if self.schema:
            words.append(repr(self.schema))
        return f"{self.name}: {', '.join(words)}"


class Diff(Mapping[str, DatasetDiff]):
    """How two states differ: a mapping of names to what differs; datasets that do not are left out.

    `first` and `second` are numbers of commits, `second` None for a dry run, which makes none;
    `metadata` is what `Database.alter` would be told. `datasets` lists all that differ, also a
    dropped one whose name another has by now. It counts first, and reads rows when asked for.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp"})
    >>> _ = t.append({"time": "2026-01-05"})
    >>> db.diff(1, "HEAD")
    Diff of commits 1 and 2
    t: 1 row added
    >>> db.rollback(1, dry_run=True)
    Diff of commit 2 and a dry run
    t: 1 row removed
    """

    def __init__(self, core: _core.Diff, zone: Optional[Zone]) -> None:
        self.first: int = core.first
        self.second: Optional[int] = core.second
        self.metadata: Dict[str, Optional[str]] = core.metadata
        self.datasets: List[DatasetDiff] = [DatasetDiff(of, zone) for of in core.datasets]
        self._by_name = {of.name: of for of in self.datasets}

    def __getitem__(self, name: str) -> DatasetDiff:
        if name in self._by_name:
            return self._by_name[name]
        names = list(self._by_name)
        differing = ", ".join(map(quoted, names)) or "nothing"
        raise NotFound(
            f"{quoted(name)} does not differ{nearest(name, names)}; what does: {differing}"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __bool__(self) -> bool:
        return bool(self.datasets or self.metadata)

    def _title(self) -> str:
        if self.second is None:
            return f"Diff of commit {self.first} and a dry run"
        return f"Diff of commits {self.first} and {self.second}"

    def __repr__(self) -> str:
        more = f"… {len(self.datasets):,} datasets in all"
        lines = list(map(str, outer(self.datasets, more)))
        if self.metadata:
            lines.insert(0, f"noted of the database: {', '.join(self.metadata)}")
        return "\n".join([self._title(), *(lines or ["no difference"])])

    def _repr_html_(self) -> str:
        heads = ["dataset", "", "added", "removed", "changed", "columns"]
        rows = [
            [
                of.name, ", ".join(of._fate()), f"{len(of.added):,}", f"{len(of.removed):,}",
                f"{len(of.changed):,}", repr(of.schema) if of.schema else "",
            ]
            for of in self.datasets
        ]  # fmt: skip
        return html_table(self._title(), heads, rows)


class Blamed:
    """The rows that one commit added, of those that a table shows."""

    def __init__(self, core: _core.Blamed, zone: Optional[Zone]) -> None:
        self.commit = Commit(core.commit)
        self.rows = DiffRows(core.added, zone)

    @property
    def author(self) -> str:
        """Who made the commit."""
        return self.commit.author

    @property
    def message(self) -> str:
        """Why it was made."""
        return self.commit.message

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"{counted(len(self), 'row')} of {self.commit!r}"


class Blame(List[Blamed]):
    """Commits and the rows that each added, newest first; prints one per line."""

    def __repr__(self) -> str:
        more = f"… {len(self):,} commits in all"
        return "\n".join(map(str, outer(self, more))) or "no rows"

    def _repr_html_(self) -> str:
        heads = ["commit", "time", "author", "message", "rows"]
        rows = [
            [str(of.commit.number), str(of.commit.time), of.author, of.message, f"{len(of):,}"]
            for of in self
        ]
        return html_table(f"{sum(map(len, self)):,} rows of {len(self):,} commits", heads, rows)


def blame_of(
    state: Union[_core.Database, _core.Snapshot],
    name: str,
    start: Any,
    stop: Any,
    keys: Optional[Mapping[str, Any]],
    zone: Optional[Zone],
) -> Blame:
    """What `Database.blame` and `Snapshot.blame` give."""
    if state.kind(name) == _core.DatasetKind.collection:
        if stop is not None or keys is not None or start is None:
            raise InvalidArgument(
                f"{quoted(name)} is a collection: blame(name, id) tells who set the values of a "
                "document"
            )
        if isinstance(state, _core.Database):
            core = state.collection(name, None, _core.TimeUnit.none, None, None)
        else:
            core = state.collection(name)
        found: Any = Collection(core, zone).blame(start)
        return found  # type: ignore[no-any-return]
    table = Table(state.table(name), zone)
    request = _core.BlameRequest.make(
        optional_ns(start, zone), optional_ns(stop, zone), key_filters(keys, table.schema, zone)
    )
    return Blame(Blamed(of, zone) for of in table._core.blame(request))
