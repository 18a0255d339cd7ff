"""A collection: documents by id, live or as of one commit."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

from otolith import _core
from otolith.commit import Commit, commit_options
from otolith.display import html_table
from otolith.document_blame import DocumentBlame, PathBlame
from otolith.document_values import fine, pack, unpack
from otolith.document_where import document_condition
from otolith.errors import Error, InvalidArgument, NotFound, count, flag, quoted, shown, utf8
from otolith.expression import Expression
from otolith.schema import choice
from otolith.times import Zone, optional_ns, utc_datetime

_TABLE_VERBS = ("append", "asof", "head", "read", "replace", "schema", "tail", "time_range")
_SHOWN = 5  # documents of a repr
_TEXT_SHOWN = 200  # characters of one of them
_ORDERS = {"id": _core.DocumentOrder.id, "time": _core.DocumentOrder.time}
_UNITS = {
    None: _core.TimeUnit.none, "s": _core.TimeUnit.second, "ms": _core.TimeUnit.millisecond,
    "us": _core.TimeUnit.microsecond, "ns": _core.TimeUnit.nanosecond,
}  # fmt: skip

Document = Dict[str, Any]


class _Any:
    """Of `if_revision`: whatever it is."""

    def __repr__(self) -> str:
        return "any"


ANY = _Any()


class Entry:
    """A document with its revision, its time and the commit that put it; immutable.

    >>> db = oto.open(":memory:")
    >>> notes = db.collection("notes")
    >>> _ = notes.put({"_id": "a", "n": 1}, author="ana")
    >>> e = notes.entry("a")
    >>> e.document, e.commit.author, e.time == e.commit.time
    ({'_id': 'a', 'n': 1}, 'ana', True)
    """

    __slots__ = ("_core", "_owner")

    def __init__(self, core: _core.DocumentEntry, owner: _core.Collection) -> None:
        self._core = core
        self._owner = owner

    @property
    def document(self) -> Document:
        """The document, a new dict each time."""
        return document_dict(self._core.document)

    @property
    def revision(self) -> str:
        """Which revision it is: opaque, equal or not."""
        return self._core.revision

    @property
    def time(self) -> datetime.datetime:
        """Its time in UTC, cut to microseconds: stated, or of the commit its life began with."""
        return utc_datetime(self._core.time_ns)

    @property
    def time_ns(self) -> int:
        """The same in ns since 1970 UTC."""
        return self._core.time_ns

    @property
    def commit(self) -> Commit:
        """The commit that put this revision."""
        return Commit(self._owner.commit_of(self._core.commit))

    def __repr__(self) -> str:
        return f"Entry {self.revision}: {shown(self.document)}"


class Revision:
    """What one commit made of a document.

    >>> notes = oto.open(":memory:").collection("notes")
    >>> _ = notes.put({"_id": "a", "n": 1}), notes.delete("a", author="ben")
    >>> [(r.author, r.document) for r in notes.revisions("a")]
    [('ben', None), ('', {'_id': 'a', 'n': 1})]
    """

    __slots__ = ("_commit", "_core", "_owner")

    def __init__(self, core: _core.DocumentRevision, owner: _core.Collection) -> None:
        self._core = core
        self._owner = owner
        self._commit: Optional[Commit] = None

    @property
    def commit(self) -> Commit:
        """The commit."""
        if self._commit is None:
            self._commit = Commit(self._owner.commit_of(self._core.commit))
        return self._commit

    @property
    def author(self) -> str:
        """Who made it."""
        return self.commit.author

    @property
    def message(self) -> str:
        """Why it was made."""
        return self.commit.message

    @property
    def document(self) -> Optional[Document]:
        """The document; None where it was deleted."""
        document = self._core.document
        return None if document is None else document_dict(document)

    @property
    def revision(self) -> Optional[str]:
        """Which revision it is; None where it was deleted."""
        return self._core.revision or None

    def __repr__(self) -> str:
        return f"Revision of commit {self._core.commit}: {shown(self.document)}"


class Found(Iterator[Document]):
    """Documents that are found, one after another, as of the call that found them.

    >>> notes = oto.open(":memory:").collection("notes")
    >>> _ = notes.put([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}])
    >>> [e.revision for e in notes.find().entries()] == [notes.entry(i).revision for i in "ab"]
    True
    """

    def __init__(self, core: _core.DocumentStream, owner: _core.Collection) -> None:
        self._core = core
        self._owner = owner
        self._some: List[_core.DocumentEntry] = []
        self._at = 0

    def _next(self) -> _core.DocumentEntry:
        if self._at == len(self._some):
            self._some, self._at = self._core.next(), 0
            if not self._some:
                raise StopIteration
        self._at += 1
        return self._some[self._at - 1]

    def __next__(self) -> Document:
        return document_dict(self._next().document)

    def entries(self) -> Iterator[Entry]:
        """The same documents with revision, time and commit."""
        return (Entry(core, self._owner) for core in iter(self._or_none, None))

    def cores(self) -> Iterator[_core.Document]:
        """The same documents as the core has them."""
        return (core.document for core in iter(self._or_none, None))

    def _or_none(self) -> Optional[_core.DocumentEntry]:
        try:
            return self._next()
        except StopIteration:
            return None


class CollectionReads:
    """What collections, those of snapshots and those of recorders have in common: reading."""

    _zone: Optional[Zone]

    def _reading(self) -> _core.Collection:
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Its name as of HEAD, or of its snapshot."""
        return self._reading().name()

    @property
    def time(self) -> Optional[str]:
        """The path at which its documents say their time; None where that is their commit's."""
        return self._reading().time_path() or None

    def __len__(self) -> int:
        return self._reading().size()

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._reading().contains(utf8("the id", id))

    def __getitem__(self, id: str) -> Document:
        found: Optional[Document] = self.get(id) if isinstance(id, str) else _id(id)
        if found is None:
            raise NotFound(f"there is no document {quoted(id)} in {quoted(self.name)}")
        return found

    def __iter__(self) -> Iterator[Document]:
        return self.find()

    def get(self, id: Any, default: Any = None) -> Any:
        """A document by its id, `default` where there is none; of several ids a list.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}])
        >>> notes.get("a"), notes.get("zz", default=0), notes.get(["b", "zz"])
        ({'_id': 'a', 'n': 1}, 0, [{'_id': 'b', 'n': 2}, None])
        """
        if isinstance(id, str):
            found = self._reading().get(id, fine)
            if found is NotImplemented:
                _id(id)  # says what is wrong with it
            return default if found is None else found
        many = self._reading().get_many(text_ids(id))
        return [default if found is None else document_dict(found) for found in many]

    def entry(self, id: str) -> Optional[Entry]:
        """A document with its revision, time and commit; None where there is none.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put({"_id": "a", "n": 1})
        >>> e = notes.entry("a")
        >>> _ = notes.put({"_id": "a", "n": e.document["n"] + 1}, if_revision=e.revision)
        >>> notes.put({"_id": "a", "n": 9}, if_revision=e.revision)
        Traceback (most recent call last):
        otolith.errors.Conflict: the document "a" of "notes" has not the revision...
        """
        reading = self._reading()
        core = reading.entry(_id(id))
        return None if core is None else Entry(core, reading)

    def find(
        self,
        start: Any = None,
        stop: Any = None,
        *,
        where: Union[Expression, str, None] = None,
        prefix: str = "",
        ids: Optional[Iterable[str]] = None,
        limit: Optional[int] = None,
        reverse: bool = False,
        order: str = "id",
    ) -> Found:
        """Documents by id: those of a time in [start, stop), whose fields pass `where`, whose id
        begins with `prefix`, or is one of `ids`; the first `limit`, in `reverse` the last first.

        `order="time"` has them by their times, those of one time by id. Their ids and times are
        gathered first: LimitExceeded where they take more than a quarter of `memory_bytes`.

        They come as they are at the call, however long that takes. In conditions a column is a
        path, `oto.col("user.city")`; `_id` and `_time` are paths too. A missing path, null and
        another type are never true, also under `~` and `!=`.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put([{"_id": "a", "user": {"city": "Oslo"}},
        ...                {"_id": "b", "user": {"city": "Rome"}}])
        >>> [d["_id"] for d in notes.find(where=oto.col("user.city") == "Rome")]
        ['b']
        >>> list(notes.find(limit=1))
        [{'_id': 'a', 'user': {'city': 'Oslo'}}]
        >>> [d["_id"] for d in notes.find(order="time", reverse=True, limit=1)]  # the latest
        ['b']
        """
        request = _core.FindRequest.make(
            optional_ns(start, self._zone), optional_ns(stop, self._zone),
            utf8("prefix", prefix), None if ids is None else text_ids(ids),
            None if where is None else document_condition(where, self._zone),
            None if limit is None else count("limit", limit), flag("reverse", reverse),
            choice("order", order, _ORDERS),
        )  # fmt: skip
        reading = self._reading()
        return Found(reading.find(request), reading)

    def revisions(self, id: str) -> List[Revision]:
        """What became of an id, newest first: a Revision of each commit that changed it.

        The first is the one that is shown, where one is: behind a revert others may be newer.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put({"_id": "a", "n": 1}, message="begin"), notes.patch("a", {"n": 2})
        >>> [(r.commit.number, r.message, r.document["n"]) for r in notes.revisions("a")]
        [(2, '', 2), (1, 'begin', 1)]
        """
        reading = self._reading()
        return [Revision(core, reading) for core in reading.revisions(_id(id))]

    def blame(self, id: str) -> DocumentBlame:
        """Which commit set each value of a document to what it is: a PathBlame for each value, in
        the order of the fields. One that a later commit put again as it was is still its first
        one's. NotFound where there is no document of that id.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put({"_id": "a", "n": 1, "user": {"city": "Oslo"}}, author="ana")
        >>> _ = notes.patch("a", {"user": {"city": "Rome"}}, author="ben")
        >>> [(of.path, of.value, of.author) for of in notes.blame("a")]
        [('n', 1, 'ana'), ('user.city', 'Rome', 'ben')]
        """
        return DocumentBlame(map(PathBlame, self._reading().blame(_id(id))))

    def __repr__(self) -> str:
        kind = type(self).__name__
        try:
            size = len(self)
            lines = [f"{kind} {self.name}: {size:,} document{'' if size == 1 else 's'}"]
            lines += [_short(core) for core in self.find(limit=_SHOWN).cores()]
            return "\n".join(lines + (["…"] if size > _SHOWN else []))
        except Error as error:
            return f"{kind} ({error})"

    def _repr_html_(self) -> str:
        size = len(self)
        rows = [[_short(core)] for core in self.find(limit=_SHOWN).cores()]
        more = [["…"]] if size > _SHOWN else []
        return html_table(f"{type(self).__name__} {self.name}: {size:,}", ["document"], rows + more)


class Collection(CollectionReads):
    """Documents by id: of a database, which reads HEAD at each call, or of a snapshot.

    A collection begins with its first write. A document is a dict with text keys; its `_id` is
    text, made where it is missing.

    >>> db = oto.open(":memory:")
    >>> notes = db.collection("notes")
    >>> c = notes.put({"_id": "a", "tags": ["x"], "user": {"city": "Oslo"}}, author="ana")
    >>> c.ids, c.changes
    (['a'], {'notes': (1, 0)})
    >>> notes
    Collection notes: 1 document
    {"_id":"a","tags":["x"],"user":{"city":"Oslo"}}
    >>> notes["b"]
    Traceback (most recent call last):
    otolith.errors.NotFound: there is no document "b" in "notes"
    """

    def __init__(self, core: _core.Collection, zone: Optional[Zone]) -> None:
        self._core = core
        self._zone = zone

    def _reading(self) -> _core.Collection:
        return self._core

    def put(
        self,
        documents: Any,
        *,
        if_revision: Any = ANY,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Inserts or replaces one document or many, in one commit; `ids` of it are theirs.

        Documents that are there as they are are no change, and a put of such alone no commit: HEAD
        comes back. With `if_revision` Conflict unless that is the document's revision (`entry`),
        or with None unless it is not there.

        >>> db = oto.open(":memory:")
        >>> notes = db.collection("notes")
        >>> notes.put([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]).changes
        {'notes': (2, 0)}
        >>> notes.put({"_id": "a", "n": 1}).changes, db.head.number
        ({}, 1)
        """
        write = _write(if_revision, author, message, extra, change_id)
        return Commit(self._core.put(_documents(documents, self._zone), write))

    def insert(
        self,
        documents: Any,
        *,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """The same, and Conflict where an id is there.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.insert({"_id": "a"})
        >>> notes.insert({"_id": "a"})
        Traceback (most recent call last):
        otolith.errors.Conflict: the document "a" is in "notes" already; put replaces it, patch...
        """
        write = _write(ANY, author, message, extra, change_id)
        return Commit(self._core.insert(_documents(documents, self._zone), write))

    def patch(
        self,
        id: str,
        patch: Mapping[str, Any],
        *,
        if_revision: Any = ANY,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Changes fields of a document (RFC 7396): those of the patch replace, a dict is merged
        into a dict, None takes a field away. NotFound where the id is not there.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put({"_id": "a", "user": {"city": "Oslo", "age": 7}})
        >>> _ = notes.patch("a", {"user": {"city": "Rome", "age": None}})
        >>> notes["a"]
        {'_id': 'a', 'user': {'city': 'Rome'}}
        """
        write = _write(if_revision, author, message, extra, change_id)
        return Commit(self._core.patch(_id(id), _document(patch, self._zone), write))

    def delete(
        self,
        ids: Any = None,
        *,
        where: Union[Expression, str, None] = None,
        if_revision: Any = ANY,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Ends documents: one id, several, or those that pass `where` in the state the commit
        stands on; older commits keep them. Ids that are not there are no change.

        >>> notes = oto.open(":memory:").collection("notes")
        >>> _ = notes.put([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}, {"_id": "c", "n": 3}])
        >>> notes.delete("a").changes, notes.delete(where=oto.col("n") > 2).changes, len(notes)
        ({'notes': (0, 1)}, {'notes': (0, 1)}, 1)
        """
        write = _write(if_revision, author, message, extra, change_id)
        if where is None:
            return Commit(self._core.remove(_asked_ids(ids, where), write))
        _asked_ids(ids, where)
        if if_revision is not ANY:
            raise InvalidArgument("if_revision is of one document: delete it by its id")
        return Commit(self._core.remove_where(document_condition(where, self._zone), write))


class RecorderCollection(CollectionReads):
    """One collection within a recorder: writes are staged, and reads see them."""

    def __init__(self, core: _core.Recorder, name: str, zone: Optional[Zone]) -> None:
        self._core = core
        self._name = name
        self._zone = zone

    def _reading(self) -> _core.Collection:
        return self._core.collection(self._name)

    if not TYPE_CHECKING:  # a name that nobody has was meant as a table's, where rows come for it

        def __getattr__(self, verb: str) -> Any:
            if verb in _TABLE_VERBS:
                self._core.schema(self._name)  # tells the nearest table, or that it is none
            raise AttributeError(f"a RecorderCollection has no attribute {verb!r}")

    @property
    def name(self) -> str:
        """The collection's name."""
        return self._name

    def put(self, documents: Any, *, if_revision: Any = ANY) -> List[str]:
        """Stages documents as `Collection.put`; their ids. Of several writes of one document in a
        recorder the last is its revision.

        >>> db = oto.open(":memory:")
        >>> with db.recorder(author="ana") as r:
        ...     _ = r["notes"].put({"_id": "n1", "text": "late feed"})
        ...     r["notes"].patch("n1", {"seen": True})
        ...     print(r["notes"]["n1"])
        {'_id': 'n1', 'text': 'late feed', 'seen': True}
        >>> r.result.changes
        {'notes': (1, 0)}
        """
        revision, given = _revision(if_revision)
        return self._core.put(self._name, _documents(documents, self._zone), revision, given)

    def insert(self, documents: Any) -> List[str]:
        """Stages documents as `Collection.insert`; their ids."""
        return self._core.insert(self._name, _documents(documents, self._zone))

    def patch(self, id: str, patch: Mapping[str, Any], *, if_revision: Any = ANY) -> None:
        """Stages a patch as `Collection.patch`."""
        revision, given = _revision(if_revision)
        self._core.patch(self._name, _id(id), _document(patch, self._zone), revision, given)

    def delete(
        self,
        ids: Any = None,
        *,
        where: Union[Expression, str, None] = None,
        if_revision: Any = ANY,
    ) -> None:
        """Ends documents as `Collection.delete`: those that are there when all is committed, and
        those staged before."""
        asked = _asked_ids(ids, where)
        if where is not None:
            condition = document_condition(where, self._zone)
            self._core.remove_where(self._name, condition)
            return
        revision, given = _revision(if_revision)
        self._core.remove_ids(self._name, asked, revision, given)


def document_time(time: Optional[str], unit: Optional[str]) -> Tuple[str, _core.TimeUnit]:
    """The path and the unit of a collection's times."""
    if unit not in _UNITS:
        raise InvalidArgument(f"unit={shown(unit)} is none of 's', 'ms', 'us' and 'ns'")
    if time is None:
        if unit is not None:
            raise InvalidArgument("unit= is of numbers that state a time: say where, time=")
        return "", _UNITS[None]
    if not isinstance(time, str) or not time:
        raise InvalidArgument(f"time={shown(time)}: give a path, such as 'user.joined'")
    return utf8("time", time), _UNITS[unit]


def _id(id: object) -> str:
    if isinstance(id, str):
        return utf8("the id", id)
    raise InvalidArgument(f"documents have ids of text, not {type(id).__name__} {shown(id)}")


def text_ids(ids: Any) -> List[str]:
    """Ids of documents: one, or several."""
    if isinstance(ids, str):
        return [_id(ids)]
    if not isinstance(ids, Iterable) or isinstance(ids, (bytes, Mapping)):
        raise InvalidArgument(f"give an id or several, not {type(ids).__name__} {shown(ids)}")
    return [_id(one) for one in ids]


def _asked_ids(ids: Any, where: object) -> List[str]:
    if (ids is None) == (where is None):
        raise InvalidArgument("delete: give either ids or where=")
    return [] if ids is None else text_ids(ids)


def _document(value: Any, zone: Optional[Zone]) -> _core.Document:
    if isinstance(value, Mapping):
        return _core.Document.from_msgpack(pack(value, zone))
    raise InvalidArgument(f"a document is a dict, not {type(value).__name__} {shown(value)}")


def _documents(documents: Any, zone: Optional[Zone]) -> List[_core.Document]:
    if isinstance(documents, Mapping):
        return [_document(documents, zone)]
    if not isinstance(documents, Iterable) or isinstance(documents, (str, bytes)):
        raise InvalidArgument(
            f"give a dict, or several, not {type(documents).__name__} {shown(documents)}"
        )
    return [_document(one, zone) for one in documents]


def _revision(if_revision: Any) -> Tuple[Optional[str], bool]:
    if isinstance(if_revision, _Any):
        return None, False
    if if_revision is None or isinstance(if_revision, str):
        return if_revision, True
    raise InvalidArgument(f"if_revision={shown(if_revision)}: give entry(id).revision, or None")


def _write(
    if_revision: Any,
    author: Optional[str],
    message: Optional[str],
    extra: Any,
    change_id: Any,
) -> _core.DocumentWrite:
    revision, given = _revision(if_revision)
    options = commit_options(author, message, extra, change_id)
    return _core.DocumentWrite.make(revision, given, options)


def document_dict(document: _core.Document) -> Document:
    """A document as a dict, its id first."""
    fields: Document = unpack(document.msgpack())
    return fields


def _short(core: _core.Document) -> str:
    try:
        text = core.json()
    except Error:  # NaN and infinities, which JSON has not
        text = repr(document_dict(core))
    return text if len(text) <= _TEXT_SHOWN else text[: _TEXT_SHOWN - 1] + "…"
