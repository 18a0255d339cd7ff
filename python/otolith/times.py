"""Times to int64 ns UTC: text, datetimes, datetime64 and ints, one or many, in any time zone.

Naive values and text without an offset are UTC, unless a zone is given; local times that do not
exist there, or exist twice, are refused. Ints are ns since 1970 UTC whatever the zone.
"""

from __future__ import annotations

import datetime
import math
import sys
import zoneinfo
from typing import Any, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from otolith import _core
from otolith.errors import InvalidArgument, shown, utf8

Int64s = npt.NDArray[np.int64]
Mask = Optional[npt.NDArray[np.bool_]]

NOT_A_TIME = -(2**63)
MAX_NS = 2**63 - 1
_EPOCH = datetime.datetime(1970, 1, 1)
_EPOCH_UTC = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_RANGE = "times go from 1677-09-21T00:12:43.145224193Z to 2262-04-11T23:47:16.854775807Z"
# Largest count of each datetime64 unit that fits; finer ones are divided instead.
_NS_PER = {
    "W": 604_800_000_000_000, "D": 86_400_000_000_000, "h": 3_600_000_000_000, "m": 60_000_000_000,
    "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1,
}  # fmt: skip
_COUNT_MAX = {"Y": 292, "M": 3507, **{unit: MAX_NS // ns for unit, ns in _NS_PER.items()}}
_FINER = {"ps": 1_000, "fs": 1_000_000, "as": 1_000_000_000}
_BLOCK_NS = 900_000_000_000  # offsets from UTC are looked up once per quarter of an hour


def utc_datetime(ns: int) -> datetime.datetime:
    """ns since 1970 UTC as a datetime of UTC, cut to microseconds."""
    return _EPOCH_UTC + datetime.timedelta(microseconds=ns // 1000)


class _BeyondUtc(InvalidArgument):
    """A local time that is none of those that can be stored once it is UTC."""


class Zone:
    """A time zone that naive times are in."""

    def __init__(self, zone: datetime.tzinfo) -> None:
        self._zone = zone

    @property
    def name(self) -> str:
        """Its IANA name, such as "Europe/Paris"; "UTC+02:00" of a fixed offset, and what str makes
        of the tzinfo where that has neither.
        """
        if self.key is not None:
            return self.key
        offset = self.offset
        return str(self._zone if offset is None else datetime.timezone(offset))

    @property
    def key(self) -> Optional[str]:
        """Its IANA name; None where it has none."""
        return getattr(self._zone, "key", None)

    @property
    def offset(self) -> Optional[datetime.timedelta]:
        """From UTC, where it is always the same."""
        try:
            return self._zone.utcoffset(None)
        except Exception:  # of a class of the caller that needs a time: it may raise anything
            return None

    def utc(self, local: Int64s) -> Int64s:
        """ns UTC of ns of local time; InvalidArgument where that does not exist or is ambiguous."""
        if len(local) == 0:
            return local
        blocks, place = np.unique(local // _BLOCK_NS, return_inverse=True)
        offsets = np.empty(len(blocks), np.int64)
        mixed = np.zeros(len(blocks), np.bool_)
        for i, block in enumerate(blocks.tolist()):
            first = self._offsets(block * _BLOCK_NS)
            last = self._offsets((block + 1) * _BLOCK_NS - 1)
            mixed[i] = len({*first, *last}) > 1
            offsets[i] = first[0]
        shift = offsets[place]
        for row in np.flatnonzero(mixed[place]).tolist():
            shift[row] = self._offset(int(local[row]))
        out = local - shift
        if np.any((shift < 0) & (out < local)) or np.any((shift > 0) & (out > local)):
            raise _BeyondUtc(f"a time is out of range in UTC; {_RANGE}")
        return out

    def _offsets(self, local_ns: int) -> Tuple[int, int]:
        naive = _EPOCH + datetime.timedelta(microseconds=local_ns // 1000)
        return (
            _delta_ns(naive.replace(tzinfo=self._zone, fold=0).utcoffset()),
            _delta_ns(naive.replace(tzinfo=self._zone, fold=1).utcoffset()),
        )

    def _offset(self, local_ns: int) -> int:
        early, late = self._offsets(local_ns)
        if early == late:
            return early
        text = _core.timestamp_format(local_ns)[:-1]
        # The earlier reading of an ambiguous time has the larger offset, in a gap the smaller.
        what = "is ambiguous" if early > late else "does not exist"
        raise InvalidArgument(
            f"local time {text} {what} in {self._zone}; give it with an offset, or in UTC"
        )


def zone_of(zone: Any) -> Optional[Zone]:
    """The zone of `timezone=`: a name such as "Europe/Paris", a tzinfo, or None for UTC."""
    if zone is None or isinstance(zone, Zone):
        return zone
    if isinstance(zone, datetime.tzinfo):
        return _zone_of_pytz(zone) if hasattr(zone, "localize") else Zone(zone)
    if not isinstance(zone, str):
        raise InvalidArgument(
            f"timezone={shown(zone)}: give a name such as 'Europe/Paris', or None for UTC"
        )
    try:
        return Zone(zoneinfo.ZoneInfo(zone))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidArgument(
            f"timezone={shown(zone)} is not known; give an IANA name such as 'Europe/Paris', "
            "or None for UTC"
        ) from None


def _zone_of_pytz(zone: Any) -> Optional[Zone]:
    """A zone of pytz by its name: its own offsets are those of local mean time until `localize`."""
    name = getattr(zone, "zone", None)
    if not isinstance(name, str):
        raise InvalidArgument(
            f"timezone={shown(zone)} has no name; give datetime.timezone(datetime.timedelta(...)), "
            "or a name such as 'Europe/Paris'"
        )
    return zone_of(name)


def to_ns(value: Any, zone: Optional[Zone] = None) -> int:
    """ns since 1970 UTC of one time: str, datetime, date, datetime64, Timestamp or int."""
    if isinstance(value, str):
        ns, has_zone = _core.timestamp_parse(utf8("the time", value))
        return ns if has_zone or zone is None else _local(ns, zone)
    whole = isinstance(value, (int, np.integer))
    if whole and not isinstance(value, (bool, np.timedelta64)):  # which NumPy calls an integer
        return _in_range(int(value), value)
    if isinstance(value, np.datetime64):
        return _datetime64_scalar(value, zone)
    if hasattr(value, "to_datetime64"):  # pandas Timestamp, UTC where it is aware
        return _datetime64_scalar(value.to_datetime64(), None if value.tzinfo else zone)
    if isinstance(value, datetime.datetime):
        if value.utcoffset() is not None:
            return _in_range(_delta_ns(value - _EPOCH_UTC), value)
        ns = _in_range(_delta_ns(value.replace(tzinfo=None) - _EPOCH), value)
        return ns if zone is None else _local(ns, zone)
    if isinstance(value, datetime.date):
        return to_ns(datetime.datetime(value.year, value.month, value.day), zone)
    raise InvalidArgument(
        f"{shown(value)} is no time; give ISO text, a datetime, a datetime64, a Timestamp or int "
        "ns UTC"
    )


def wide_ns(value: Any, zone: Optional[Zone] = None) -> Tuple[Union[int, float], bool]:
    """Where a time lies among those that can be stored, for comparisons: the ns that are not later,
    and whether they are that very time; an infinity where it lies beyond them.
    """
    if isinstance(value, str):
        ns, has_zone = _core.timestamp_parse_wide(utf8("the time", value))
        return _placed(int(ns), True, None if has_zone else zone)
    whole = isinstance(value, (int, np.integer))
    if whole and not isinstance(value, (bool, np.timedelta64)):
        return _placed(int(value), True, None)
    if hasattr(value, "to_datetime64"):
        zone = None if value.tzinfo else zone
        value = value.to_datetime64()
    if isinstance(value, np.datetime64):
        return _placed(*_wide_datetime64(value), zone)
    if isinstance(value, datetime.datetime):
        if value.utcoffset() is not None:
            return _placed(_delta_ns(value - _EPOCH_UTC), True, None)
        return _placed(_delta_ns(value.replace(tzinfo=None) - _EPOCH), True, zone)
    if isinstance(value, datetime.date):
        return wide_ns(datetime.datetime(value.year, value.month, value.day), zone)
    return to_ns(value, zone), True  # which refuses it


def unbounded_ns(value: np.datetime64) -> int:
    """ns since 1970 of a time that is whole ns, of any year."""
    return _wide_datetime64(value)[0]


def _placed(ns: int, exact: bool, zone: Optional[Zone]) -> Tuple[Union[int, float], bool]:
    if abs(ns) > MAX_NS:
        return math.inf if ns > 0 else -math.inf, True
    if zone is None:
        return ns, exact
    try:
        return _local(ns, zone), exact
    except _BeyondUtc:
        return math.inf if ns > 0 else -math.inf, True


def _wide_datetime64(value: np.datetime64) -> Tuple[int, bool]:
    """ns since 1970, and whether they are that very time."""
    if np.isnat(value):
        return _datetime64_scalar(value, None), True  # which refuses it
    unit, step = np.datetime_data(value.dtype)
    count = int(value.astype(np.int64)) * step
    if unit in _FINER:
        ns, rest = divmod(count, _FINER[unit])
        return ns, rest == 0
    if unit in _NS_PER:
        return count * _NS_PER[unit], True
    if unit == "generic":
        return count, True
    if abs(count) > _COUNT_MAX[unit]:  # years and months: in range or far beyond
        return count * MAX_NS, True
    months = np.array([count], f"M8[{unit}]")
    return int(months.astype("M8[ns]").astype(np.int64)[0]), True


def optional_ns(value: Any, zone: Optional[Zone]) -> Optional[int]:
    """As to_ns; None stays None."""
    return None if value is None else to_ns(value, zone)


def array_to_ns(
    values: npt.NDArray[Any], zone: Optional[Zone], null: Mask = None
) -> Tuple[Int64s, Mask]:
    """ns of an array of times, and which rows are null (None: none are). NaT is null.

    Takes datetime64 of any unit, integers (ns UTC), and objects or text as in to_ns. `null` marks
    rows whose value does not count. InvalidArgument names the row.
    """
    if values.dtype.kind == "M":
        ns, null = _datetime64_array(values, null)
        return _localized(ns, null, zone), null
    if values.dtype.kind in "iu":
        return _integers(values, null), null
    if values.dtype.kind in "UT":
        values = values.astype(object)
    if values.dtype.kind != "O":
        raise InvalidArgument(
            f"{values.dtype} is no type of times; give datetime64, datetimes, ISO text "
            "or int ns UTC"
        )
    return _objects(values, zone, null)


def nulls_of(objects: npt.NDArray[np.object_]) -> Mask:
    """Which objects are None, masked, pandas.NA or pandas.NaT; None where none is."""
    marks = np.empty(len(objects), np.uint8)
    return marks.view(np.bool_) if _core.mark_nulls(objects, null_objects(), marks) else None


def null_objects() -> list[Any]:
    """The objects that stand for null; pandas' own only where pandas is loaded."""
    pandas = sys.modules.get("pandas")
    numpy_only = [None, np.ma.masked]
    return numpy_only if pandas is None else [*numpy_only, pandas.NA, pandas.NaT]


def either(a: Mask, b: Mask) -> Mask:
    """Rows that are null in one or the other."""
    if a is None or b is None:
        return b if a is None else a
    return a | b


def _objects(
    values: npt.NDArray[np.object_], zone: Optional[Zone], null: Mask
) -> Tuple[Int64s, Mask]:
    null = either(null, nulls_of(values))
    ns = np.zeros(len(values), np.int64)
    found = np.zeros(len(values), np.uint8)
    _core.parse_times(np.ascontiguousarray(values), ns, found)
    naive = found == 2
    if zone is not None and naive.any():
        ns[naive] = zone.utc(ns[naive])
    others = found % 3 == 0  # neither text with an offset nor text without
    for row in np.flatnonzero(others if null is None else others & ~null).tolist():
        try:
            ns[row] = _object_ns(values[row], zone)
        except InvalidArgument as error:
            raise InvalidArgument(f"row {row}: {error}") from None
    return _without_nat(ns, null)


def _object_ns(value: Any, zone: Optional[Zone]) -> int:
    if isinstance(value, np.datetime64) and np.isnat(value):
        return NOT_A_TIME
    return to_ns(value, zone)


def _without_nat(ns: Int64s, null: Mask) -> Tuple[Int64s, Mask]:
    nat = ns == NOT_A_TIME
    if not nat.any():
        return ns, null
    return np.where(nat, 0, ns), either(null, nat)


def _integers(values: npt.NDArray[Any], null: Mask) -> Int64s:
    if values.dtype.kind == "i":
        return values.astype(np.int64, copy=False)
    bad = values > MAX_NS
    if null is not None:
        bad &= ~null
    if bad.any():
        row = int(bad.argmax())
        raise InvalidArgument(f"row {row} holds {values[row]} ns, which is out of range; {_RANGE}")
    return values.astype(np.int64)


def _datetime64_array(values: npt.NDArray[Any], null: Mask) -> Tuple[Int64s, Mask]:
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    unit, step = np.datetime_data(values.dtype)
    counts = np.ascontiguousarray(values).view(np.int64)
    if len(counts) and counts.min() == NOT_A_TIME:  # one pass at memory speed; NaT is rare
        null = either(null, counts == NOT_A_TIME)
    if null is not None:
        counts = np.where(null, 0, counts)
    if unit == "generic" or (unit, step) == ("ns", 1):
        return counts, null
    if unit in _FINER:
        ns, rest = np.divmod(counts, _FINER[unit]) if step == 1 else _multiples(counts, step, unit)
        _refuse(rest != 0, values, "is finer than a nanosecond")
        return ns, null
    limit = _COUNT_MAX[unit] // step
    _refuse((counts > limit) | (counts < -limit), values, f"is out of range; {_RANGE}")
    return counts.view(values.dtype).astype("M8[ns]").view(np.int64), null


def _multiples(counts: Int64s, step: int, unit: str) -> Tuple[Int64s, Int64s]:
    exact = [divmod(count * step, _FINER[unit]) for count in counts.tolist()]
    return np.array([ns for ns, _ in exact], np.int64), np.array(
        [rest for _, rest in exact], np.int64
    )


def _refuse(bad: npt.NDArray[np.bool_], values: npt.NDArray[Any], what: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise InvalidArgument(f"row {row} holds {values[row]}, which {what}")


def _localized(ns: Int64s, null: Mask, zone: Optional[Zone]) -> Int64s:
    if zone is None:
        return ns
    if null is None:
        return zone.utc(ns)
    out = ns.copy()
    out[~null] = zone.utc(ns[~null])
    return out


def _datetime64_scalar(value: np.datetime64, zone: Optional[Zone]) -> int:
    if np.isnat(value):
        raise InvalidArgument("NaT is no time; give a time, or None where it may be left open")
    try:
        ns, _ = _datetime64_array(np.array([value]), None)
    except InvalidArgument as error:
        raise InvalidArgument(str(error).replace("row 0 holds ", "time ", 1)) from None
    return int(_localized(ns, None, zone)[0])


def _local(ns: int, zone: Zone) -> int:
    return int(zone.utc(np.array([ns], np.int64))[0])


def _delta_ns(delta: Optional[datetime.timedelta]) -> int:
    if delta is None:
        return 0
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000


def _in_range(ns: int, value: Any) -> int:
    if abs(ns) > MAX_NS:
        time = value.isoformat() if isinstance(value, datetime.datetime) else f"{shown(ns)} ns"
        raise InvalidArgument(f"time {time} is out of range; {_RANGE}")
    return ns
