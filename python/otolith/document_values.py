"""What Python's objects are in a document, and what comes back.

The kinds that nearly all values are of, `_core` knows: dict, list, tuple, str, int, float, bool,
None, bytes, bytearray, and datetimes in UTC. What others are is said here.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Optional, Tuple

import numpy as np

from otolith import _core, times
from otolith.errors import InvalidArgument, shown


def pack(value: Any, zone: Optional[times.Zone] = None) -> bytes:
    """A value as canonical msgpack; naive datetimes are in `zone`, else in UTC.

    InvalidArgument names the path of what no document holds, LimitExceeded that of what is nested
    too deeply.

    >>> pack({"a": [1, 2.5]}).hex(" ")
    '81 a1 61 92 01 cb 40 04 00 00 00 00 00 00'
    """
    return _core.document_pack(value, lambda other: _plain(other, zone), zone is None)


def unpack(body: bytes) -> Any:
    """The value of canonical msgpack. A time is an aware datetime in UTC, and a datetime64[ns]
    where a datetime would lose its nanoseconds.

    >>> unpack(bytes.fromhex("81a16192 01cb3ff8000000000000"))
    {'a': [1, 1.5]}
    """
    return _core.document_unpack(body, fine)


def fine(ns: int) -> np.datetime64:
    """A time that no datetime holds: of ns that are no whole us."""
    return np.datetime64(ns, "ns")


def _plain(value: Any, zone: Optional[times.Zone]) -> Tuple[str, Any]:
    """("value", what `_core` knows) or ("time", ns since 1970 UTC)."""
    if any(value is null for null in times.null_objects()):
        return "value", None
    if isinstance(value, np.datetime64):
        return ("value", None) if np.isnat(value) else ("time", times.to_ns(value, zone))
    if isinstance(value, datetime.datetime):
        return "time", times.to_ns(value, zone)
    if isinstance(value, np.generic) and value.dtype.kind in "biufSU":
        return "value", value.item()
    if isinstance(value, Mapping):
        return "value", dict(value)
    if isinstance(value, memoryview):
        return "value", value.tobytes()
    raise InvalidArgument(f"{shown(value)} is nothing that a document holds; {_remedy(value)}")


def _remedy(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "give its .tolist()"
    if isinstance(value, datetime.date):
        return "give a datetime, or its .isoformat()"
    if isinstance(value, (set, frozenset)):
        return "give a list"
    return "give dicts, lists, text, numbers, booleans, None, bytes or datetimes"
