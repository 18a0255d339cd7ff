"""The declared shape of a table, as it is shown and as it is given to `create_table`."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Iterable
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from otolith import _core
from otolith.display import LINES_SHOWN, html_table, outer
from otolith.dtypes import DType, dtype_of
from otolith.errors import InvalidArgument, NotFound, count, is_utf8, nearest, quoted, shown, utf8

_PARTITIONS = {
    "hour": _core.Partition.hour, "day": _core.Partition.day, "month": _core.Partition.month,
    "year": _core.Partition.year, None: _core.Partition.none,
}  # fmt: skip
_DUPLICATES = {
    "keep": _core.Duplicates.keep, "last": _core.Duplicates.last,
    "first": _core.Duplicates.first, "error": _core.Duplicates.error,
}  # fmt: skip


# name, type, nullable, codec, metadata: a column as the core takes it
ColumnTuple = Tuple[str, str, bool, str, Dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: its name, its type, and a codec of its own ("" for the table's)."""

    name: str
    dtype: DType
    codec: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Schema:
    """The shape and the policies of a table; immutable.

    >>> db = oto.open(":memory:")
    >>> columns = {"time": "timestamp", "symbol": "string"}
    >>> table = db.create_table("quotes", columns, keys=["symbol"])
    >>> table.schema["symbol"]
    Column(name='symbol', dtype=otolith.required(otolith.string), codec='', metadata={})
    >>> table.schema
    time    timestamp  time
    symbol  string     key
    partition day · duplicates keep · codec hot
    """

    columns: Tuple[Column, ...]
    time: str
    keys: Tuple[str, ...]
    partition: Optional[str]
    duplicates: str
    codec: str
    metadata: Mapping[str, str]
    core: _core.Schema = dataclasses.field(repr=False, compare=False)

    @functools.cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by name, in order."""
        return types.MappingProxyType({column.name: column for column in self.columns})

    @property
    def names(self) -> List[str]:
        """Names of the columns, in order."""
        return list(self.by_name)

    def __getitem__(self, name: str) -> Column:
        if name in self:
            return self.by_name[name]
        hint = nearest(name, self.names)
        raise NotFound(f"no column {quoted(name)}{hint}; there are {', '.join(self.names)}")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.by_name

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def role(self, column: Column) -> str:
        """What a column is for: "time", "key", "required" or nothing."""
        if column.name == self.time:
            return "time"
        if column.name in self.keys:
            return "key"
        return "" if column.dtype.nullable else "required"

    def __repr__(self) -> str:
        name = max((len(column.name) for column in self.columns), default=0)
        dtype = max((len(column.dtype.name) for column in self.columns), default=0)
        lines = [
            f"{c.name:{name}}  {c.dtype.name:{dtype}}  {self.role(c)}".rstrip()
            for c in self.columns
        ]
        more = f"… {len(lines) - LINES_SHOWN:,} more columns"
        return "\n".join([*outer(lines, more), self._policies()])

    def _repr_html_(self) -> str:
        heads = ["column", "type", "", "codec", "metadata"]
        rows = [
            [c.name, c.dtype.name, self.role(c), c.codec or self.codec, dict(c.metadata) or ""]
            for c in self.columns
        ]
        return html_table(self._policies(), heads, rows)

    def _policies(self) -> str:
        out = f"partition {self.partition} · duplicates {self.duplicates} · codec {self.codec}"
        if self.core.segment_bytes != 0:
            out += f" · segment_bytes {self.core.segment_bytes}"
        return out if self.core.spread == 1 else f"{out} · spread {self.core.spread}"


def schema_of(core: _core.Schema) -> Schema:
    """The view of a core schema. Time and keys show as required: they are never null."""
    time, keys = core.time, core.keys
    columns = tuple(
        Column(name, DType(dtype, nullable and name != time and name not in keys), codec, metadata)
        for name, dtype, nullable, codec, metadata in core.columns
    )
    partition = next(name for name, value in _PARTITIONS.items() if value == core.partition)
    duplicates = next(name for name, value in _DUPLICATES.items() if value == core.duplicates)
    return Schema(
        columns, time, tuple(keys), partition, duplicates, core.codec, core.metadata, core
    )


def core_schema(
    columns: Mapping[str, Any],
    keys: Sequence[str],
    time: str,
    partition: Optional[str],
    duplicates: str,
    codec: Any,
    metadata: Optional[Mapping[str, str]],
    column_metadata: Optional[Mapping[str, Mapping[str, str]]],
    segments: Tuple[int, int],
) -> _core.Schema:
    """The core schema of what `create_table` was given; InvalidArgument names what is wrong."""
    if not isinstance(columns, Mapping):
        raise InvalidArgument(
            "columns: give a dict of names and types, {'time': otolith.timestamp, …}"
        )
    table_codec, column_codecs = _codecs(codec, columns)
    if isinstance(keys, str):
        keys = [keys]
    if not isinstance(keys, Iterable):
        raise InvalidArgument(f"keys={shown(keys)}: give a list of names of columns")
    notes = _metadata_by_column(column_metadata)
    for name in notes:
        if name not in columns:
            hint = nearest(name, [str(c) for c in columns if is_utf8(str(c))])
            raise InvalidArgument(f"column_metadata: no column {quoted(name)}{hint}")
    tuples: List[ColumnTuple] = [
        (_text(name, "a column's name"), *_type(name, spec), column_codecs.get(name, ""),
         _metadata(notes.get(name)))
        for name, spec in columns.items()
    ]  # fmt: skip
    return _core.Schema.make(
        tuples, _text(time, "time"), [_text(key, "a key") for key in keys],
        choice("partition", partition, _PARTITIONS),
        choice("duplicates", duplicates, _DUPLICATES),
        table_codec, _metadata(metadata), segments,
    )  # fmt: skip


def segment_sizes(
    segment_bytes: Optional[int], spread: Optional[int], left_out: int = 1
) -> Tuple[int, int]:
    """The sizes of segments as the core takes them: 0 bytes for those it chooses, and `left_out`
    for no `spread`.
    """
    if segment_bytes == 0:
        raise InvalidArgument("segment_bytes=0: give bytes, or leave it out")
    number = left_out if spread is None else count("spread", spread)
    if spread == 0:
        raise InvalidArgument("spread is 0; give 1 to 128 files")
    if number >= 2**32:
        raise InvalidArgument(f"spread={number}: a few files are meant")
    return 0 if segment_bytes is None else count("segment_bytes", segment_bytes), number


def core_change(
    add: Optional[Mapping[str, Any]],
    drop: Any,
    rename: Optional[Mapping[str, str]],
    widen: Optional[Mapping[str, Any]],
    metadata: Optional[Mapping[str, Optional[str]]],
    column_metadata: Optional[Mapping[str, Mapping[str, Optional[str]]]],
) -> _core.SchemaChange:
    """The core change of what `alter` was given; InvalidArgument names what is no change."""
    names = [drop] if isinstance(drop, str) else drop
    if not isinstance(names, Iterable) or isinstance(names, (Mapping, bytes)):
        raise InvalidArgument(f"drop={shown(drop)}: give a list of names of columns")
    tuples: List[ColumnTuple] = [
        (_text(name, "a column's name"), *_type(name, spec), "", {})
        for name, spec in _dict("add", add, "names and types").items()
    ]
    return _core.SchemaChange.make(
        tuples,
        [_text(name, "drop: a column's name") for name in names],
        {
            _text(old, "rename: a column's name"): _text(new, "rename: a column's new name")
            for old, new in _dict("rename", rename, "old and new names").items()
        },
        {
            _text(name, "widen: a column's name"): _wider(name, spec)
            for name, spec in _dict("widen", widen, "names and types").items()
        },
        metadata_change(metadata),
        {
            name: metadata_change(change)
            for name, change in _metadata_by_column(column_metadata).items()
        },
    )


def _wider(name: str, spec: Any) -> str:
    dtype, nullable = _type(name, spec)
    if not nullable:
        raise InvalidArgument(
            f"widen: whether column {quoted(name)} may be null stays as it is; give {dtype!r} alone"
        )
    return dtype


def _dict(option: str, value: Any, of: str) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"{option}={shown(value)}: give a dict of {of}")
    return value


def _type(name: str, spec: Any) -> Tuple[str, bool]:
    try:
        dtype = dtype_of(spec)
    except InvalidArgument as error:
        raise InvalidArgument(f"column {quoted(name)}: {error}") from None
    return dtype.name, dtype.nullable


def _codecs(codec: Any, columns: Mapping[str, Any]) -> Tuple[str, Dict[str, str]]:
    if isinstance(codec, str):
        return _text(codec, "a codec"), {}
    if not isinstance(codec, Mapping):
        raise InvalidArgument(
            f"codec={shown(codec)}: give 'hot', 'small', 'raw', or a dict of columns and codecs"
        )
    for name in codec:
        if name not in columns:
            hint = nearest(str(name), [str(c) for c in columns if is_utf8(str(c))])
            raise InvalidArgument(f"codec: no column {quoted(name)}{hint}")
    return "hot", {name: _text(value, "a codec") for name, value in codec.items()}


def choice(option: str, value: Any, choices: Mapping[Any, Any]) -> Any:
    """What stands for the value of an option; InvalidArgument lists what there is."""
    if not isinstance(value, (str, type(None))) or value not in choices:
        raise InvalidArgument(
            f"{option}={shown(value)}: choose one of {', '.join(map(repr, choices))}"
        )
    return choices[value]


def _metadata(metadata: Optional[Mapping[str, str]]) -> Dict[str, str]:
    return {
        _text(k, "a metadata key"): _text(v, f"metadata {shown(k)}")
        for k, v in _dict("metadata", metadata, "texts").items()
    }


def metadata_change(metadata: Optional[Mapping[str, Optional[str]]]) -> Dict[str, Optional[str]]:
    """What `alter` was given as metadata; InvalidArgument names what is no text."""
    return {
        _text(k, "a metadata key"): None if v is None else _text(v, f"metadata {shown(k)}")
        for k, v in _dict("metadata", metadata, "texts").items()
    }


def _metadata_by_column(of: Optional[Mapping[str, Any]]) -> Mapping[str, Any]:
    notes = _dict("column_metadata", of, "columns and their metadata")
    return {_text(name, "column_metadata: a column's name"): given for name, given in notes.items()}


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(f"{what} is text, not {type(value).__name__} {shown(value)}")
    return utf8(what, value)
