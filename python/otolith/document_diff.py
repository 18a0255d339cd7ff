"""Documents that differ between two states of a collection."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple

from otolith import _core
from otolith.collection import document_dict
from otolith.display import html_table
from otolith.document_values import unpack
from otolith.errors import shown
from otolith.status import counted

_SHOWN = 5  # documents of a repr, and paths of one of them


class PathChange:
    """What became of one value of a document: its `path`, and what it was and is. `kind` is
    "added", "removed" or "changed"; the side that has nothing there is None.

    >>> db = oto.open(":memory:")
    >>> notes = db.collection("notes")
    >>> _ = notes.put({"_id": "a", "n": 1}), notes.patch("a", {"n": None, "m": [2]})
    >>> for change in db.diff(1, 2)["notes"].changed:
    ...     [(of.path, of.kind, of.before, of.after) for of in change.paths]
    [('n', 'removed', 1, None), ('m', 'added', None, [2])]
    """

    __slots__ = ("after", "before", "kind", "path")

    def __init__(self, core: _core.PathChange) -> None:
        before, after = core.before, core.after
        self.path: str = core.path
        self.kind: str = "added" if before is None else "removed" if after is None else "changed"
        self.before: Any = None if before is None else unpack(before)
        self.after: Any = None if after is None else unpack(after)

    def __repr__(self) -> str:
        if self.kind == "added":
            return f"{self.path} added: {shown(self.after)}"
        if self.kind == "removed":
            return f"{self.path} removed: {shown(self.before)}"
        return f"{self.path}: {shown(self.before)} -> {shown(self.after)}"


class DocumentChange:
    """A document that both states have, and not the same: `before` and `after` are dicts, and
    `paths` the deepest values that differ. There are none where only its time, or the order of its
    fields, is another.

    >>> db = oto.open(":memory:")
    >>> notes = db.collection("notes")
    >>> _ = notes.put({"_id": "a", "n": 1, "tags": ["x"]}), notes.patch("a", {"n": 2})
    >>> for change in db.diff(1, 2)["notes"].changed:
    ...     print(change.id, change.paths, change.before["n"], change.after["n"])
    a [n: 1 -> 2] 1 2
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.DocumentChange) -> None:
        self._core = core

    @property
    def id(self) -> str:
        """Of both."""
        return self._core.id

    @property
    def before(self) -> Dict[str, Any]:
        """As the first state has it."""
        return _dict(self._core.before)

    @property
    def after(self) -> Dict[str, Any]:
        """As the second state has it."""
        return _dict(self._core.after)

    @property
    def paths(self) -> List[PathChange]:
        """What differs within it."""
        return list(map(PathChange, self._core.paths()))

    def __repr__(self) -> str:
        paths = self.paths
        words = "; ".join(map(repr, paths[:_SHOWN])) or "its time or the order of its fields"
        more = f"; … {len(paths):,} in all" if len(paths) > _SHOWN else ""
        return f"{shown(self.id)}: {words}{more}"


class _Differing:
    """Those of one kind, read as they are asked for: each pass reads anew."""

    def __init__(self, core: _core.DocumentDiff, count: int) -> None:
        self._core = core
        self._count = count

    def __len__(self) -> int:
        return self._count

    def _changes(self, before: bool, after: bool) -> Iterator[_core.DocumentChange]:
        stream = self._core.changes()
        left = self._count
        while left:
            some = stream.next()
            if not some:
                return
            for change in some:
                if (change.before is not None, change.after is not None) == (before, after):
                    left -= 1
                    yield change

    def _first(self) -> Tuple[List[str], str]:
        lines = []
        for one in self:  # type: ignore[attr-defined]
            lines.append(repr(one) if isinstance(one, DocumentChange) else shown(one))
            if len(lines) == _SHOWN:
                break
        return lines, "…" if self._count > _SHOWN else ""


class Documents(_Differing):
    """Documents that only one of two states has: `len` counts them, iterating gives a dict each,
    by id, read as they are asked for.

    >>> db = oto.open(":memory:")
    >>> _ = db.collection("notes").put([{"_id": "a", "n": 1}, {"_id": "b"}])
    >>> added = db.diff(0, 1)["notes"].added
    >>> added
    2 documents
    {'_id': 'a', 'n': 1}
    {'_id': 'b'}
    >>> len(added), [document["_id"] for document in added]
    (2, ['a', 'b'])
    """

    def __init__(self, core: _core.DocumentDiff, count: int, side: str) -> None:
        super().__init__(core, count)
        self._side = side

    def __iter__(self) -> Iterator[Dict[str, Any]]:
        of_before = self._side == "before"
        for change in self._changes(of_before, not of_before):
            yield _dict(change.before if of_before else change.after)

    def __repr__(self) -> str:
        lines, more = self._first()
        return "\n".join([counted(len(self), "document"), *lines, *([more] if more else [])])


class ChangedDocuments(_Differing):
    """Documents that both states have, and not the same: `len` counts them, iterating gives a
    DocumentChange each, by id, read as they are asked for.

    >>> db = oto.open(":memory:")
    >>> notes = db.collection("notes")
    >>> _ = notes.put({"_id": "a", "user": {"city": "Oslo"}})
    >>> _ = notes.patch("a", {"user": {"city": "Rome"}})
    >>> db.diff(1, 2)["notes"].changed
    1 changed document
    'a': user.city: 'Oslo' -> 'Rome'
    """

    def __iter__(self) -> Iterator[DocumentChange]:
        return map(DocumentChange, self._changes(True, True))

    def __repr__(self) -> str:
        lines, more = self._first()
        return "\n".join(
            [counted(len(self), "changed document"), *lines, *([more] if more else [])]
        )

    def _repr_html_(self) -> str:
        lines, more = self._first()
        rows = [[line] for line in lines] + ([[more]] if more else [])
        return html_table(counted(len(self), "changed document"), ["document"], rows)


def _dict(entry: Optional[_core.DocumentEntry]) -> Dict[str, Any]:
    assert entry is not None  # of a side that has the document
    return document_dict(entry.document)
