"""What `inspect` tells: how a database or one of its files is laid out."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Dict, List, Optional, Union

from otolith import _core
from otolith.errors import flag
from otolith.status import Problem

Path = Union[str, "os.PathLike[str]"]


@dataclasses.dataclass(frozen=True)
class CodecUse:
    """The chunks of a column that one codec encoded."""

    codec: str
    chunks: int
    rows: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class ColumnLayout:
    """One column of a segment. `name` is None where only the file is known; `zero_copy` is "numpy"
    (one array per run), "arrow" (one batch per row group) or "none".
    """

    name: Optional[str]
    id: int
    type: str
    nulls: int
    validity_bytes: int
    shared_bytes: int
    values_bytes: int
    index_bytes: int
    plain_bytes: int
    bits_per_value: float
    zero_copy: str
    codecs: List[CodecUse]


@dataclasses.dataclass(frozen=True)
class SegmentLayout:
    """One segment file. Those of marks, which end and revive rows, have no columns. `side` is
    "present" or "past" where compact parted it: the commit `base` shows all of a present one and
    none of a past one; else both are None.
    """

    file: str
    dataset: Optional[str]
    id: str
    marks: bool
    bytes: int
    format: int = 0
    data_bytes: int = 0
    index_bytes: int = 0
    frame_bytes: int = 0
    rows: int = 0
    row_groups: int = 0
    partitions: int = 0
    runs: int = 0
    page_rows: int = 0
    unique: bool = False
    many_commits: bool = False
    side: Optional[str] = None
    base: Optional[int] = None
    time_min: Optional[str] = None
    time_max: Optional[str] = None
    verified: bool = False
    columns: List[ColumnLayout] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class FileLayout:
    """One file that is no segment of a commit. `kind` is "otolith", "log", "torn_tail", "reserve",
    "checkpoint", "index", "lock", "segment" (of no commit), "unfinished" or "unknown"; `details` is
    what it says, in the words of otolith/inspect.h, and None where nothing of it is read or it is
    damaged.
    """

    file: str
    kind: str
    bytes: int
    verified: bool
    details: Optional[Dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What `inspect` found: `kind` is "database", or what the one file is; `status` is a dict of
    what a database that opens says of itself; `files` are all but the segments of commits;
    `problems` is what is damaged or could not be read, by file and offset.
    """

    path: str
    kind: str
    verified: bool
    status: Optional[Dict[str, Any]]
    files: List[FileLayout]
    segments: List[SegmentLayout]
    problems: List[Problem]
    _text: str = dataclasses.field(repr=False, compare=False)
    _json: str = dataclasses.field(repr=False, compare=False)

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain dicts and lists, as `otolith inspect --json` writes them."""
        plain: Dict[str, Any] = json.loads(self._json)
        return plain

    def __repr__(self) -> str:
        return self._text.rstrip("\n")


def inspect(path: Path, file: Optional[Path] = None, verify: bool = False) -> Inspection:
    """Explains a database directory or a file of one; writes nothing.

    `file` picks one file of a database, by its path (there, or of the shell), its name or a
    segment's id. `verify=True` reads every byte and checks it; of a log file the frames are read
    with it, or where the file is picked. Damage is told in `problems`, and the rest is shown.

    NotFound for a missing path; InvalidArgument for what is no file of Otolith; Corrupt, with file
    and offset, for a single file that does not open; UnsupportedFormat for a newer format.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     oto.open(folder + "/a.oto").close()
    ...     oto.inspect(folder + "/a.oto").kind
    'database'
    """
    text, found = _core.inspect(
        os.fsencode(path), b"" if file is None else os.fsencode(file), flag("verify", verify)
    )
    told = json.loads(found)
    return Inspection(
        path=told["path"],
        kind=told["kind"],
        verified=told["verified"],
        status=told["status"],
        files=[FileLayout(**file) for file in told["files"]],
        segments=[_segment(segment) for segment in told["segments"]],
        problems=[_problem(problem) for problem in told["problems"]],
        _text=text,
        _json=found,
    )


def _segment(told: Dict[str, Any]) -> SegmentLayout:
    columns = [
        ColumnLayout(**{**column, "codecs": [CodecUse(**use) for use in column["codecs"]]})
        for column in told.get("columns", [])
    ]
    return SegmentLayout(**{**told, "columns": columns})


def _problem(told: Dict[str, Any]) -> Problem:
    return Problem(told.pop("what"), told)
