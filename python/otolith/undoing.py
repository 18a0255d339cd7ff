"""Comparing states of a database, and going back: the verbs of `Database` for that."""

from __future__ import annotations

from typing import Any, List, Literal, Mapping, Optional, Union, overload

from otolith import _core
from otolith._core import Database as CoreDatabase, Snapshot as CoreSnapshot
from otolith.collection import text_ids
from otolith.commit import Commit, commit_options
from otolith.diff import Blame, Diff, blame_of
from otolith.errors import InvalidArgument, count, flag, utf8
from otolith.snapshot import dataset_name
from otolith.table import Table, key_filters
from otolith.times import Zone, optional_ns


class Undoing:
    """What a database compares and undoes."""

    _core: CoreDatabase
    _zone: Optional[Zone]

    def diff(
        self,
        a: Union[int, str, Commit],
        b: Union[int, str, Commit] = "HEAD",
        dataset: Optional[str] = None,
    ) -> Diff:
        """How state `b` differs from state `a`: of all datasets, or of one, by its name at `b`.

        What it costs follows what differs. Tables that have one row of each keys and time
        (`duplicates` other than "keep") tell changed rows with both sides.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"}, duplicates="last")
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
        >>> _ = t.append({"time": ["2026-01-06", "2026-01-07"], "n": [3, 4]})
        >>> db.diff("HEAD~1", "HEAD")
        Diff of commits 2 and 3
        t: 1 row added, 1 row changed
        """
        core = self._core.diff(
            reference(a), reference(b), None if dataset is None else dataset_name(dataset)
        )
        return Diff(core, self._zone)

    def blame(
        self,
        name: str,
        start: Any = None,
        stop: Any = None,
        *,
        keys: Optional[Mapping[str, Any]] = None,
    ) -> Blame:
        """Who wrote the rows of [start, stop) with these `keys` that a table shows: a Blame, a
        commit each, newest first, with the rows that it added. Of a collection the second argument
        is the id of a document: `Collection.blame(id)`, a line for each value in it; to a type
        checker it is always a Blame.

        >>> db = oto.open(":memory:")
        >>> t = db.create_table("t", {"time": "timestamp"})
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"]}, author="ana")
        >>> _ = t.append({"time": "2026-01-07"}, author="ben")
        >>> [(of.author, of.commit.number, len(of.rows)) for of in db.blame("t", "2026-01-06")]
        [('ben', 3, 1), ('ana', 2, 1)]
        """
        return blame_of(self._core, dataset_name(name), start, stop, keys, self._zone)

    @overload
    def rollback(
        self, to: Union[int, str, Commit], dataset: Optional[str] = ..., ids: Any = ...,
        keys: Optional[Mapping[str, Any]] = ..., start: Any = ..., stop: Any = ...,
        author: Optional[str] = ..., message: Optional[str] = ..., replace_name: bool = ...,
        *, dry_run: Literal[True], extra: Any = ..., change_id: Any = ...,
    ) -> Diff: ...  # fmt: skip

    @overload
    def rollback(
        self, to: Union[int, str, Commit], dataset: Optional[str] = ..., ids: Any = ...,
        keys: Optional[Mapping[str, Any]] = ..., start: Any = ..., stop: Any = ...,
        author: Optional[str] = ..., message: Optional[str] = ..., replace_name: bool = ...,
        dry_run: Literal[False] = ..., *, extra: Any = ..., change_id: Any = ...,
    ) -> Commit: ...  # fmt: skip

    def rollback(
        self,
        to: Union[int, str, Commit],
        dataset: Optional[str] = None,
        ids: Any = None,
        keys: Optional[Mapping[str, Any]] = None,
        start: Any = None,
        stop: Any = None,
        author: Optional[str] = None,
        message: Optional[str] = None,
        replace_name: bool = False,
        dry_run: bool = False,
        *,
        extra: Any = None,
        change_id: Any = None,
    ) -> Union[Commit, Diff]:
        """Shows the state of commit `to` again: of the database, of a `dataset`, of its rows of
        [start, stop) with these `keys`, or of its documents of that range with these `ids`. A
        commit of its own that moves no data; what it takes back stays in the history, and can be
        had again by another rollback or a revert.

        A dataset is named as at `to`, else as at HEAD. Rows of a range or of keys go back under the
        columns that the table has now. A document is of a range where its time then or its time now
        is, and goes back as a whole. Tags stay. What is so already is no commit: HEAD comes back.
        `dry_run` writes nothing and gives the Diff that it would make.

        Conflict, with its `differences`, where another dataset has the old name (unless
        `replace_name`, which drops it), or rows do not fit the present columns. NotFound where
        there is no such commit, or the dataset did not exist then.

        >>> db = oto.open(":memory:", author="ana")
        >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
        >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
        >>> _ = t.delete(all=True, message="oops")
        >>> _ = db.rollback("HEAD~1", dataset="t", start="2026-01-06", message="the sixth only")
        >>> t.read()["n"]
        array([2], dtype=int32)
        >>> _ = db.rollback("HEAD~2")
        >>> t.read()["n"]
        array([1, 2], dtype=int32)
        """
        then = reference(to)
        rows = _core.RollbackOptions.make(
            None if dataset is None else dataset_name(dataset), optional_ns(start, self._zone),
            optional_ns(stop, self._zone), self._keys_then(keys, then, dataset),
            None if ids is None else text_ids(ids),
            flag("replace_name", replace_name),
        )  # fmt: skip
        if flag("dry_run", dry_run):
            return Diff(self._core.rollback_diff(then, rows), self._zone)
        options = commit_options(author, message, extra, change_id)
        return Commit(self._core.rollback(then, rows, options))

    @overload
    def revert(
        self, commit: Union[int, str, Commit], dataset: Optional[str] = ...,
        author: Optional[str] = ..., message: Optional[str] = ..., *, dry_run: Literal[True],
        extra: Any = ..., change_id: Any = ...,
    ) -> Diff: ...  # fmt: skip

    @overload
    def revert(
        self, commit: Union[int, str, Commit], dataset: Optional[str] = ...,
        author: Optional[str] = ..., message: Optional[str] = ..., dry_run: Literal[False] = ...,
        *, extra: Any = ..., change_id: Any = ...,
    ) -> Commit: ...  # fmt: skip

    def revert(
        self,
        commit: Union[int, str, Commit],
        dataset: Optional[str] = None,
        author: Optional[str] = None,
        message: Optional[str] = None,
        dry_run: bool = False,
        *,
        extra: Any = None,
        change_id: Any = None,
    ) -> Union[Commit, Diff]:
        """Undoes what one commit changed, in all datasets or in one, and keeps what came since: a
        commit of its own. Reverts and rollbacks can be reverted like any other.

        Conflict, with its `differences`, where later commits touched the same rows, names or
        columns, or the commit is no longer in effect; nothing is changed then. A commit that
        changed nothing there is no commit: HEAD comes back. `dry_run` writes nothing and gives the
        Diff that it would make.

        >>> db = oto.open(":memory:", author="ana")
        >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
        >>> bad = t.append({"time": "2026-01-05", "n": 1})
        >>> _ = t.append({"time": "2026-01-06", "n": 2})
        >>> undone = db.revert(bad, message="a bad feed")
        >>> t.read()["n"]
        array([2], dtype=int32)
        >>> _ = db.revert(undone)
        >>> t.read()["n"]
        array([1, 2], dtype=int32)
        """
        named = None if dataset is None else dataset_name(dataset)
        if flag("dry_run", dry_run):
            return Diff(self._core.revert_diff(reference(commit), named), self._zone)
        options = commit_options(author, message, extra, change_id)
        return Commit(self._core.revert(reference(commit), named, options))

    def _keys_then(
        self, keys: Optional[Mapping[str, Any]], then: str, dataset: Optional[str]
    ) -> List[Any]:
        """The keys of a table as it was at a commit, else as it is."""
        if keys is None:
            return []
        if dataset is None:
            raise InvalidArgument("keys= are of one dataset: name it with dataset=")
        old = self._core.at(then)
        table = self._table(old if old.contains(dataset) else self._core, dataset)
        return key_filters(keys, table.schema, self._zone)

    def _table(self, of: Union[CoreDatabase, CoreSnapshot], name: str) -> Table:
        return Table(of.table(dataset_name(name)), self._zone)


def reference(ref: Union[int, str, Commit]) -> str:
    """A reference to a commit as text, whichever way it was given."""
    if isinstance(ref, Commit):
        return str(ref.number)
    return utf8("the reference", ref) if isinstance(ref, str) else str(count("commit", ref))
