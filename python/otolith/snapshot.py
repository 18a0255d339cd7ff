"""The database as of one commit."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, NoReturn, Optional

from otolith import _core
from otolith.collection import Collection
from otolith.commit import Commit
from otolith.diff import Blame, blame_of
from otolith.display import html_table, outer
from otolith.errors import InvalidArgument, is_utf8, shown, utf8
from otolith.table import Table
from otolith.times import Zone

_WRITING = (
    "alter", "create_table", "drop", "recorder", "rename", "revert", "rollback", "tag", "untag",
)  # fmt: skip


class Snapshot:
    """The database as of one commit: the same reading verbs; writing ones raise InvalidArgument.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp"})
    >>> _ = t.append({"time": "2026-01-05"})
    >>> old = db.at("HEAD~1")
    >>> len(old["t"]), len(t)
    (0, 1)
    """

    def __init__(self, core: _core.Snapshot, zone: Optional[Zone]) -> None:
        self._core = core
        self._zone = zone

    @property
    def commit(self) -> Commit:
        """The commit it shows."""
        return Commit(self._core.commit())

    @property
    def timezone(self) -> Optional[str]:
        """The zone that naive times are in, as it was given to `open`: its IANA name, "UTC+02:00"
        of a fixed offset; None where none was given, which is UTC.

        >>> import datetime as dt
        >>> two_hours = dt.timezone(dt.timedelta(hours=2))
        >>> oto.open(":memory:", timezone=two_hours).at(0).timezone
        'UTC+02:00'
        """
        return None if self._zone is None else self._zone.name

    @property
    def metadata(self) -> Dict[str, str]:
        """What was noted of the database as of this commit: texts by key.

        >>> oto.open(":memory:").at(0).metadata
        {}
        """
        return self._core.metadata()

    def datasets(self) -> List[str]:
        """Names of the datasets, sorted.

        >>> oto.open(":memory:").at(0).datasets()
        []
        """
        return self._core.datasets()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and is_utf8(name) and self._core.contains(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.datasets())

    def __getitem__(self, name: str) -> Table:
        """A table, or a Collection where the name is one's; to a type checker always a table:
        `collection(name)` is typed as a collection."""
        name = dataset_name(name)
        if self._core.kind(name) == _core.DatasetKind.collection:
            return self.collection(name)  # type: ignore[return-value]
        return Table(self._core.table(name), self._zone)

    def collection(self, name: str) -> Collection:
        """A collection as of this commit; NotFound where there is none.

        >>> db = oto.open(":memory:")
        >>> _ = db.collection("notes").put({"_id": "a", "n": 1}), db["notes"].delete("a")
        >>> db.at(1).collection("notes")["a"], "a" in db["notes"]
        ({'_id': 'a', 'n': 1}, False)
        """
        return Collection(self._core.collection(dataset_name(name)), self._zone)

    def blame(
        self,
        name: str,
        start: Any = None,
        stop: Any = None,
        *,
        keys: Optional[Mapping[str, Any]] = None,
    ) -> Blame:
        """Who wrote the rows that a table shows as of this commit, or the values of a document, as
        of `Database.blame`.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"}).append({"time": "2026-01-05"})
        >>> [(of.commit.number, len(of.rows)) for of in db.at("HEAD").blame("t")]
        [(2, 1)]
        """
        return blame_of(self._core, dataset_name(name), start, stop, keys, self._zone)

    if not TYPE_CHECKING:  # to a checker the writing verbs are not there, and nothing else is

        def __getattr__(self, name: str) -> Any:
            if name in _WRITING:
                return functools.partial(_refuse, name)
            raise AttributeError(f"a Snapshot has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"Snapshot of {self.commit!r}"

    def _repr_html_(self) -> str:
        heads = ["dataset", "columns", "keys", "partition"]
        rows = [
            ["…"] * len(heads) if name is None else _described(self[name])
            for name in outer(self.datasets(), None)
        ]
        return html_table(repr(self), heads, rows)


def _described(table: Any) -> List[str]:
    if isinstance(table, Collection):
        return [table.name, "documents", "_id", "None"]
    schema = table.schema
    return [table.name, f"{len(schema)}", ", ".join(schema.keys), str(schema.partition)]


def dataset_name(name: object) -> str:
    """A name to look a dataset up by; InvalidArgument unless it is text."""
    if not isinstance(name, str):
        raise InvalidArgument(
            f"datasets are named by text, not {type(name).__name__} {shown(name)}"
        )
    return utf8("the name", name)


def _refuse(verb: str, *_: Any, **__: Any) -> NoReturn:
    raise InvalidArgument(f"{verb}: a snapshot never changes; call it on the database")
