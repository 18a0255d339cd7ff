"""The database as of one commit."""

from __future__ import annotations

from typing import Iterator, List, Optional

from otolith import _core
from otolith.commit import Commit
from otolith.errors import InvalidArgument
from otolith.table import Table
from otolith.times import Zone


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
        return isinstance(name, str) and self._core.contains(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.datasets())

    def __getitem__(self, name: str) -> Table:
        return Table(self._core.table(dataset_name(name)), self._zone)

    def __repr__(self) -> str:
        return f"Snapshot of {self.commit!r}"


def dataset_name(name: object) -> str:
    """A name to look a dataset up by; InvalidArgument unless it is text."""
    if not isinstance(name, str):
        raise InvalidArgument(f"datasets are named by text, not {type(name).__name__} {name!r}")
    return name
