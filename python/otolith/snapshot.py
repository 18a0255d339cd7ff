"""The database as of one commit."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Iterator, List, NoReturn, Optional

from otolith import _core
from otolith.commit import Commit
from otolith.errors import InvalidArgument, is_utf8, shown, utf8
from otolith.table import Table
from otolith.times import Zone

_WRITING = ("create_table", "drop", "recorder", "rename", "tag", "untag")


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
        return Table(self._core.table(dataset_name(name)), self._zone)

    if not TYPE_CHECKING:  # to a checker the writing verbs are not there, and nothing else is

        def __getattr__(self, name: str) -> Any:
            if name in _WRITING:
                return functools.partial(_refuse, name)
            raise AttributeError(f"a Snapshot has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"Snapshot of {self.commit!r}"


def dataset_name(name: object) -> str:
    """A name to look a dataset up by; InvalidArgument unless it is text."""
    if not isinstance(name, str):
        raise InvalidArgument(
            f"datasets are named by text, not {type(name).__name__} {shown(name)}"
        )
    return utf8("the name", name)


def _refuse(verb: str, *_: Any, **__: Any) -> NoReturn:
    raise InvalidArgument(f"{verb}: a snapshot never changes; call it on the database")
