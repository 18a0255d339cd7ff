"""An open database: its tables, its recorders and its history."""

from __future__ import annotations

import dataclasses
import datetime
import os
import re
from types import TracebackType
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Type, Union

from otolith import _core
from otolith.collection import Collection, document_time
from otolith.commit import Commit, Log, commit_options, optional_text
from otolith.display import html_table
from otolith.errors import InvalidArgument, count, flag, is_utf8, not_built, printable, shown, utf8
from otolith.recorder import Recorder
from otolith.schema import choice, core_schema, metadata_change, segment_sizes
from otolith.snapshot import Snapshot, dataset_name
from otolith.status import (
    CompactReport,
    Progress,
    Status,
    VerifyReport,
    counted,
    progress_of,
    report_of,
    size,
    status_of,
)
from otolith.table import Table
from otolith.times import Zone, optional_ns, to_ns, zone_of
from otolith.undoing import Undoing, reference

_DURABILITIES = {"durable": _core.Durability.durable, "relaxed": _core.Durability.relaxed}
_THREADS_MAX = 256  # of one call, as in the core
_UNIT_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def open(
    path: Union[str, os.PathLike[str]],
    create: bool = True,
    read_only: bool = False,
    durability: str = "durable",
    threads: Optional[int] = None,
    memory_bytes: Optional[int] = None,
    mmap: bool = True,
    timezone: Any = None,
    author: Optional[str] = None,
    lock_wait: Union[str, float, datetime.timedelta] = "10s",
) -> Database:
    """Opens a database directory, or ":memory:"; makes it if missing, unless `create` is False.

    `read_only` writes nothing at all. `durability="relaxed"` lets a suffix of the commits be lost
    in a power failure (they are on disk within a second). `threads` are the workers of one call
    (default: one per core), `memory_bytes` bounds staged data and caches (default 1 GiB).
    `mmap=False` reads without mappings: slower, and safe from failing devices. `timezone` is that
    of naive times and of text without an offset (default UTC). `author` signs commits that name
    none. `lock_wait` is how long a commit waits for other writers: "10s", seconds, or a timedelta.

    NotFound where there is nothing and `create` is False; InvalidArgument for a folder that is no
    database; UnsupportedFormat for a newer one.

    >>> with oto.open(":memory:", author="ana") as db:
    ...     db.head
    Commit 0 (the empty database)
    """
    zone = zone_of(timezone)
    core = _core.Database.open(
        _path_bytes(path), flag("create", create), flag("read_only", read_only),
        choice("durability", durability, _DURABILITIES),
        _positive("threads", threads, 0, _THREADS_MAX),
        _positive("memory_bytes", memory_bytes, _core.MEMORY_BYTES),
        flag("mmap", mmap), optional_text("author", author) or "",
        _duration_ns("lock_wait", lock_wait),
    )  # fmt: skip
    return Database(core, zone)


class Database(Undoing):
    """An open database; close it with `close()` or `with`. Thread-safe.

    >>> db = oto.open(":memory:")
    >>> quotes = db.create_table("quotes", {"time": oto.timestamp, "bid": oto.float64})
    >>> _ = quotes.append({"time": "2026-01-05T09:00", "bid": 1.5})
    >>> db["quotes"].read()["bid"]
    array([1.5])
    >>> db["quote"]
    Traceback (most recent call last):
    otolith.errors.NotFound: no dataset "quote" as of commit 2 (did you mean "quotes"?)...
    """

    def __init__(self, core: _core.Database, zone: Optional[Zone]) -> None:
        self._core = core
        self._zone = zone

    @property
    def path(self) -> str:
        """The directory it lies in, or ":memory:"."""
        return os.fsdecode(self._core.path())

    # ---- Datasets --------------------------------------------------------------------------------

    def create_table(
        self,
        name: str,
        columns: Mapping[str, Any],
        keys: Sequence[str] = (),
        time: str = "time",
        partition: Optional[str] = "day",
        duplicates: str = "keep",
        storage: str = "file",
        codec: Union[str, Mapping[str, str]] = "hot",
        metadata: Optional[Mapping[str, str]] = None,
        exist_ok: bool = False,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
        index: Any = None,
        fetch: Any = None,
        segment_bytes: Optional[int] = None,
        spread: Optional[int] = None,
        column_metadata: Optional[Mapping[str, Mapping[str, str]]] = None,
    ) -> Table:
        """Makes a table in a commit of its own; Conflict if the name is taken, unless `exist_ok`
        and the schema is equal.

        `columns` maps names to types: `oto.float64`, "float64", NumPy or Arrow types; values may be
        null unless `oto.required(type)`, keys and time never. `keys` are sorted by before time.
        `partition` is "hour", "day", "month", "year" or None, in UTC: take one that holds thousands
        of rows, since each costs some 160 bytes a column in each commit. `codec` is "hot" (small,
        and fast to read), "small" (the smallest), "raw" (plain: reads are views of the file), or a
        dict of columns and codecs. `duplicates`: of rows that share keys and time "keep" shows all,
        "last" and "first" one, and under "error" a second one is a Conflict at its commit.
        `metadata` are texts by key, `column_metadata` the same for each column named. `compact`
        makes files of about `segment_bytes` at most (256 MiB), and of at least `spread` (1) where
        rows are enough, which are read side by side. `storage`, `index` and `fetch` are refused
        beyond their defaults until they are built.

        >>> db = oto.open(":memory:")
        >>> db.create_table("t", {"time": "timestamp", "n": "int32"}, metadata={"source": "feed A"})
        Table t: 0 rows
        time  timestamp  time
        n     int32
        partition day · duplicates keep · codec hot
        """
        if not isinstance(storage, str) or storage != "file":
            raise not_built(f"storage={shown(storage)}", "leave storage='file'")
        for option, value in (("index=", index), ("fetch=", fetch)):
            if value is not None:
                raise not_built(option, "leave it out")
        schema = core_schema(
            columns, keys, time, partition, duplicates, codec, metadata, column_metadata,
            segment_sizes(segment_bytes, spread),
        )  # fmt: skip
        options = commit_options(author, message, extra, change_id)
        made = self._core.create_table(
            dataset_name(name), schema, flag("exist_ok", exist_ok), options
        )
        return Table(made, self._zone)

    @property
    def metadata(self) -> Dict[str, str]:
        """What is noted of the database: texts by key; `alter` changes them, older commits keep
        theirs.

        >>> oto.open(":memory:").metadata
        {}
        """
        return self._core.metadata()

    def alter(
        self,
        *,
        metadata: Mapping[str, Optional[str]],
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Changes what is noted of the database, in a commit of its own: sets texts by key, and
        takes those away that are None.

        What changes nothing is no commit: HEAD comes back. Conflict where somebody else changed it
        meanwhile.

        >>> db = oto.open(":memory:")
        >>> _ = db.alter(metadata={"owner": "desk 4", "status": "draft"}, author="ana")
        >>> _ = db.alter(metadata={"owner": "desk 7", "status": None}, author="ana")
        >>> db.metadata, db.at("HEAD~1").metadata
        ({'owner': 'desk 7'}, {'owner': 'desk 4', 'status': 'draft'})
        """
        options = commit_options(author, message, extra, change_id)
        return Commit(self._core.alter(metadata_change(metadata), options))

    def drop(
        self,
        name: str,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Takes a dataset away, in a commit of its own. Older commits keep it; its name is free,
        and a table made under it is another one.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> db.drop("t", message="no longer fed").changes
        {'t': (0, 0)}
        >>> "t" in db, "t" in db.at("HEAD~1")
        (False, True)
        """
        options = commit_options(author, message, extra, change_id)
        return Commit(self._core.drop(dataset_name(name), options))

    def rename(
        self,
        name: str,
        to: str,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
    ) -> Commit:
        """Gives a dataset another name, in a commit of its own; tables that are at hand go on.
        Conflict if the name is taken; older commits know it by the old one.

        >>> db = oto.open(":memory:")
        >>> quotes = db.create_table("quotes", {"time": "timestamp"})
        >>> _ = db.rename("quotes", "ticks")
        >>> quotes.name, db.datasets(), db.at("HEAD~1").datasets()
        ('ticks', ['ticks'], ['quotes'])
        """
        options = commit_options(author, message, extra, change_id)
        return Commit(self._core.rename(dataset_name(name), dataset_name(to), options))

    def datasets(self) -> List[str]:
        """Names of the datasets, sorted.

        >>> oto.open(":memory:").datasets()
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

    def collection(
        self,
        name: str,
        time: Optional[str] = None,
        unit: Optional[str] = None,
        codec: Optional[str] = None,
        segment_bytes: Optional[int] = None,
        spread: Optional[int] = None,
    ) -> Collection:
        """A collection of documents, which its first write makes.

        `time` is the path at which each document says its time, as text, a datetime, or a number
        of `unit` ("s", "ms", "us", "ns") since 1970 UTC; without it a document has the time of the
        commit that its life began with. `codec`, `segment_bytes` and `spread` are those of
        `create_table`. Conflict where the collection was made with others, InvalidArgument for a
        table.

        >>> db = oto.open(":memory:")
        >>> events = db.collection("events", time="at", unit="s")
        >>> _ = events.put({"_id": "a", "at": 1767614400})
        >>> events.entry("a").time
        datetime.datetime(2026, 1, 5, 12, 0, tzinfo=datetime.timezone.utc)
        """
        path, ticks = document_time(time, unit)
        sized = segment_bytes is not None or spread is not None
        core = self._core.collection(
            dataset_name(name), None if time is None else path, ticks,
            None if codec is None else utf8("codec", codec),
            segment_sizes(segment_bytes, spread, 0) if sized else None,
        )  # fmt: skip
        return Collection(core, self._zone)

    def recorder(
        self,
        author: Optional[str] = None,
        message: Optional[str] = None,
        extra: Any = None,
        change_id: Any = None,
        progress: Progress = None,
    ) -> Recorder:
        """Stages changes of many tables; with `with` it commits at the end, and discards on an
        exception. `progress` is told of its commit, as of `Table.append`.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> with db.recorder(author="ana", message="open") as r:
        ...     r["t"].append({"time": "2026-01-05"})
        >>> r.result == db.head
        True
        """
        options = commit_options(author, message, extra, change_id, progress)
        return Recorder(self._core.recorder(options), self._zone)

    # ---- History ---------------------------------------------------------------------------------

    @property
    def head(self) -> Commit:
        """The newest commit; number 0 where nothing was committed."""
        return Commit(self._core.head())

    def at(self, ref: Union[int, str, Commit, None] = None, *, time: Any = None) -> Snapshot:
        """The database as of a commit: its number, "HEAD", "HEAD~3", "#abcdef" (a hash's first six
        or more hex digits), a tag or a Commit; or as of the newest commit not after `time`.

        NotFound where there is no such commit or tag; 0 is the empty database.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> "t" in db.at(0), "t" in db.at("HEAD")
        (False, True)
        """
        if (ref is None) == (time is None):
            raise InvalidArgument("at: give either a reference to a commit or time=")
        if time is not None:
            core = self._core.at_time(to_ns(time, self._zone))
        elif isinstance(ref, str):
            core = self._core.at(utf8("the reference", ref))
        else:
            number = ref.number if isinstance(ref, Commit) else count("commit", ref)
            core = self._core.at_number(number)
        return Snapshot(core, self._zone)

    def log(
        self,
        dataset: Optional[str] = None,
        author: Optional[str] = None,
        since: Any = None,
        until: Any = None,
        limit: Optional[int] = None,
        reverse: bool = False,
    ) -> List[Commit]:
        """Commits, newest first: of a dataset, of an author, made in [since, until), `limit` of
        them.

        >>> db = oto.open(":memory:", author="ana")
        >>> _ = db.create_table("t", {"time": "timestamp"}, message="begin")
        >>> [c.message for c in db.log(author="ana")]
        ['begin']
        """
        commits = self._core.log(
            optional_text("dataset", dataset), optional_text("author", author),
            optional_ns(since, self._zone), optional_ns(until, self._zone),
            None if limit is None else count("limit", limit), flag("reverse", reverse),
        )  # fmt: skip
        return Log(map(Commit, commits))

    def wait(self, after: Union[int, Commit, None] = None, timeout: Any = None) -> Optional[Commit]:
        """Waits for the first durable commit behind `after`, by any process, and returns it; None
        where `timeout` ("10s", seconds, a timedelta) runs out.

        `after` is a commit or its number, by default the newest durable commit at the call. Of
        commits that follow each other each is returned once: `c = db.wait(c)`. It returns within
        some milliseconds of the commit; meanwhile other threads run, and Ctrl-C ends it. 0 looks
        once. InvalidArgument where the database is closed meanwhile.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> db.wait(after=0).number, db.wait(after=db.head, timeout="10ms")
        (1, None)
        """
        number = after.number if isinstance(after, Commit) else after
        commit = self._core.wait(
            None if number is None else count("after", number),
            None if timeout is None else _duration_ns("timeout", timeout),
        )
        return None if commit is None else Commit(commit)

    def tag(self, name: str, ref: Union[int, str, Commit] = "HEAD") -> None:
        """Names a commit; a tag begins with a letter. Conflict where it exists.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"})
        >>> db.tag("v1")
        >>> db.tags()["v1"].number
        1
        """
        self._core.tag(_tag(name), reference(ref))

    def untag(self, name: str) -> None:
        """Takes a tag away; NotFound where there is none.

        >>> oto.open(":memory:").untag("v9")
        Traceback (most recent call last):
        otolith.errors.NotFound: there is no tag "v9"
        """
        self._core.untag(_tag(name))

    def tags(self) -> Dict[str, Commit]:
        """All tags and their commits.

        >>> oto.open(":memory:").tags()
        {}
        """
        return {name: Commit(commit) for name, commit in self._core.tags().items()}

    # ---- Care ------------------------------------------------------------------------------------

    def status(self) -> Status:
        """Rows, bytes, tail, segments and findings of the database and its datasets.

        >>> oto.open(":memory:").status().datasets
        {}
        """
        return status_of(self._core.status())

    def verify(self, progress: Progress = None, *, history: bool = False) -> VerifyReport:
        """Reads and checks everything; `progress` is True for a bar, or a callable of (bytes done,
        total). With `history` the rows of every commit are hashed again and held against the
        commit's hash: that finds rows which somebody changed together with their checksums.

        >>> oto.open(":memory:").verify().ok
        True
        """
        return report_of(self._core.verify(progress_of(progress), flag("history", history)))

    def compact(
        self, progress: Progress = None, bytes_per_second: Optional[int] = None
    ) -> CompactReport:
        """Moves all rows of the log into segments, joins small segments, and removes segment files
        that nobody needs; no answer changes. `progress` is True for a bar, or a callable of (bytes
        done, total). `bytes_per_second` bounds what is read of files that are joined, for who
        serves others meanwhile. What is stopped stands as far as it came; another goes on.

        Segments below 4 Mi rows and 256 MiB are small, where the dataset asks for no other sizes
        (`create_table`). Rows that HEAD does not show go into past
        segments, which newer states do not open until a rollback or a revert reaches them; a
        segment of any size is parted so where an eighth of it is past. The files of those joined
        stay for ten minutes, for those who read them. What cannot be sealed or joined is left as
        it is, and its error is raised.

        >>> db = oto.open(":memory:")
        >>> _ = db.create_table("t", {"time": "timestamp"}).append({"time": "2026-01-05"})
        >>> db.compact()
        1 row sealed; 0 segments of 0 B joined; 0 unneeded files of 0 B removed; ...
        """
        rate = _positive("bytes_per_second", bytes_per_second, 0)
        core = self._core.compact(progress_of(progress), rate)
        return CompactReport(*(getattr(core, f.name) for f in dataclasses.fields(CompactReport)))

    def sync(self) -> None:
        """Makes relaxed commits durable.

        >>> oto.open(":memory:", durability="relaxed").sync()
        """
        self._core.sync()

    def close(self) -> None:
        """Closes it; later calls on it and its tables raise InvalidArgument. Arrays stay valid.

        >>> oto.open(":memory:").close()
        """
        self._core.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        path = printable(self.path)
        if self._core.closed():
            return f"Database {path} (closed)"
        return f"Database {path}: {counted(len(self.datasets()), 'dataset')}, HEAD is {self.head!r}"

    def _repr_html_(self) -> str:
        if self._core.closed():
            return html_table(repr(self), [], [])
        heads = ["dataset", "rows", "in the tail", "segments", "bytes"]
        rows = [
            [name, f"{of.rows:,}", f"{of.tail_rows:,}", f"{of.segments:,}", size(of.segment_bytes)]
            for name, of in self.status().datasets.items()
        ]
        return html_table(repr(self), heads, rows)


def _tag(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidArgument(f"a tag is text, not {shown(name)}")
    return utf8("the tag", name)


def _path_bytes(path: Any) -> bytes:
    """The bytes that the system knows a path by; they need not be UTF-8."""
    try:
        if isinstance(os.fspath(path), str):
            return os.fsencode(path)
    except TypeError:
        pass
    except UnicodeEncodeError:
        raise InvalidArgument(f"path={shown(path)}: no file can have this name") from None
    raise InvalidArgument(f"path={shown(path)}: give text or a PathLike of text")


def _positive(option: str, value: Optional[int], default: int, most: int = 2**63 - 1) -> int:
    if value is None:
        return default
    number = count(option, value)
    if number == 0:
        raise InvalidArgument(f"{option}=0: give a number from 1, or None for the default")
    if number > most:
        raise InvalidArgument(f"{option}={number}: give a number up to {most:,}, or None")
    return number


def _duration_ns(option: str, value: Any) -> int:
    """ns of "10s", "500ms", a number of seconds, or a timedelta."""
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    ns = -1.0
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h)", value.strip())
        if found:
            ns = float(found[1]) * _UNIT_NS[found[2]]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            ns = float(value) * 1e9
        except OverflowError:
            pass  # an int beyond all floats
    if not 0 <= ns < 2**63:
        raise InvalidArgument(
            f"{option}={shown(value)}: give text such as '10s' or '500ms', or seconds"
        )
    return int(ns)
