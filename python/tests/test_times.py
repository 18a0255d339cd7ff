"""Times of every kind become int64 ns UTC, or are refused by name."""

import datetime as dt
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otolith as oto
from otolith.times import array_to_ns, to_ns, zone_of

NS = 1_767_614_400_000_000_000  # 2026-01-05T12:00Z
PARIS = zone_of("Europe/Paris")


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-05T12:00Z",
        "2026-01-05 12:00:00",
        "2026-01-05T13:00+01:00",
        dt.datetime(2026, 1, 5, 12),
        dt.datetime(2026, 1, 5, 13, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
        np.datetime64("2026-01-05T12", "h"),
        np.datetime64(NS, "ns"),
        np.datetime64(NS // 1000, "us"),
        pd.Timestamp("2026-01-05T12:00"),
        pd.Timestamp("2026-01-05T13:00", tz="Europe/Paris"),
        NS,
        np.int64(NS),
        np.uint64(NS),
    ],
    ids=repr,
)
def test_one_time_of_every_kind_is_the_same_ns(value):
    assert to_ns(value) == NS
    ns, null = array_to_ns(np.array([value, None], object), None)
    assert ns[0] == NS and null.tolist() == [False, True]


def test_a_date_is_its_midnight():
    assert to_ns(dt.date(2026, 1, 5)) == to_ns("2026-01-05") == to_ns(np.datetime64("2026-01-05"))


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-05T12:00",
        dt.datetime(2026, 1, 5, 12),
        np.datetime64("2026-01-05T12:00"),
        pd.Timestamp("2026-01-05T12:00"),
    ],
    ids=repr,
)
def test_naive_values_are_in_the_zone_that_was_given(value):
    assert to_ns(value, PARIS) == NS - 3_600_000_000_000
    assert array_to_ns(np.array([value], object), PARIS)[0][0] == NS - 3_600_000_000_000


@pytest.mark.parametrize(
    "value",
    [NS, "2026-01-05T12:00Z", "2026-01-05T13:00+01:00", pd.Timestamp(NS, tz="Asia/Tokyo")],
    ids=repr,
)
def test_values_that_say_their_zone_keep_it(value):
    assert to_ns(value, PARIS) == NS


def test_a_local_time_that_does_not_exist_is_refused():
    with pytest.raises(
        oto.InvalidArgument, match="2026-03-29T02:30:00 does not exist in Europe/Paris"
    ):
        to_ns("2026-03-29T02:30", PARIS)


def test_a_local_time_that_is_ambiguous_is_refused():
    with pytest.raises(
        oto.InvalidArgument, match="2026-10-25T02:30:00 is ambiguous in Europe/Paris"
    ):
        to_ns("2026-10-25T02:30", PARIS)


@pytest.mark.parametrize(
    "edge",
    [
        "2026-03-29T01:59:59.999999999",
        "2026-03-29T03:00",
        "2026-10-25T01:59:59",
        "2026-10-25T03:00",
    ],
)
def test_times_beside_a_change_of_the_clock_are_taken(edge):
    naive = np.datetime64(edge, "ns")
    expected = pd.Timestamp(naive).tz_localize("Europe/Paris").value
    assert to_ns(edge, PARIS) == expected


@settings(deadline=None)  # the first of each zone reads it from the disk
@given(
    st.integers(-(10**18), 4 * 10**18),
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_zones_agree_with_pandas(ns, name):
    naive = pd.Timestamp(ns)
    try:
        expected = naive.tz_localize(name).value
    except ValueError:  # ambiguous or not existing
        with pytest.raises(oto.InvalidArgument):
            to_ns(naive, zone_of(name))
    else:
        assert to_ns(naive, zone_of(name)) == expected


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "", "../etc", 7])
def test_an_unknown_zone_is_refused_by_name(zone):
    with pytest.raises(oto.InvalidArgument, match="timezone="):
        zone_of(zone)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("yesterday", "yesterday"),
        ("2026-02-30", "2026-02-30"),
        (1.5, "1.5 is no time"),
        (True, "True is no time"),
        (None, "None is no time"),
        (-(2**63), "out of range"),
        (2**63, "out of range"),
        ("1600-01-01", "out of range"),
        (dt.datetime(2500, 1, 1), "2500-01-01T00:00:00 is out of range"),
        (dt.datetime.min, "out of range"),
        (np.datetime64("3000-01-01"), "3000-01-01.*out of range"),
        (np.datetime64(1, "fs"), "finer than a nanosecond"),
        (np.datetime64("NaT"), "NaT is no time"),
        (pd.NaT, "NaT is no time"),
    ],
    ids=repr,
)
def test_what_is_no_time_is_refused_by_name(value, message):
    with pytest.raises(oto.InvalidArgument, match=message):
        to_ns(value)


UNITS = ["W", "D", "h", "m", "s", "ms", "us", "ns"]


@given(
    st.sampled_from(UNITS),
    st.integers(1, 50),
    st.lists(st.integers(-(2**63) + 1, 2**63 - 1), max_size=5),
)
def test_datetime64_of_any_unit_is_exact_or_refused(unit, step, counts):
    per = {
        "W": 604800 * 10**9,
        "D": 86400 * 10**9,
        "h": 3600 * 10**9,
        "m": 60 * 10**9,
        "s": 10**9,
        "ms": 10**6,
        "us": 10**3,
        "ns": 1,
    }
    exact = [count * step * per[unit] for count in counts]
    array = np.array(counts, np.int64).view(f"M8[{step}{unit}]")
    if all(-(2**63) < ns < 2**63 for ns in exact):
        assert array_to_ns(array, None)[0].tolist() == exact
    else:
        with pytest.raises(oto.InvalidArgument, match="row . holds .* out of range"):
            array_to_ns(array, None)


@pytest.mark.parametrize("unit", ["Y", "M"])
def test_years_and_months_agree_with_numpy(unit):
    array = np.array(["1678-01", "1970-02", "2262-01"], f"M8[{unit}]")
    assert array_to_ns(array, None)[0].tolist() == array.astype("M8[ns]").view("i8").tolist()
    with pytest.raises(oto.InvalidArgument, match="out of range"):
        array_to_ns(np.array(["1677-01"], f"M8[{unit}]"), None)


def test_nat_in_arrays_is_null():
    ns, null = array_to_ns(np.array(["2026-01-05T12", "NaT"], "M8[h]"), PARIS)
    assert ns.tolist() == [NS - 3_600_000_000_000, 0] and null.tolist() == [False, True]


def test_big_endian_times_are_times():
    assert array_to_ns(np.array([NS], ">M8[ns]"), None)[0].tolist() == [NS]


@pytest.mark.parametrize(
    "array",
    [
        np.array(["2026-01-05", "nonsense"]),
        np.array(["2026-01-05", "nonsense"], object),
        np.array([NS, 2**63], np.uint64),
        np.array([NS, 1.5], object),
    ],
    ids=repr,
)
def test_a_bad_row_is_named(array):
    with pytest.raises(oto.InvalidArgument, match="row 1"):
        array_to_ns(array, None)


def test_floats_are_no_times():
    with pytest.raises(oto.InvalidArgument, match="float64 is no type of times"):
        array_to_ns(np.array([1.5]), None)


class Nowhere(dt.tzinfo):
    """A zone that knows no offset: by Python's own rules such times are naive."""

    def utcoffset(self, when):
        return None


def test_a_zone_without_an_offset_leaves_a_time_naive():
    time = dt.datetime(2026, 7, 1, 12, tzinfo=Nowhere())
    assert to_ns(time) == to_ns("2026-07-01T12:00")
    assert to_ns(time, zone_of("Europe/Paris")) == to_ns("2026-07-01T10:00")


class LikePytz(dt.tzinfo):
    """As pytz has it: local mean time until `localize` is called."""

    def __init__(self, zone):
        self.zone = zone

    def localize(self, when):
        raise NotImplementedError

    def utcoffset(self, when):
        return dt.timedelta(minutes=9)


def test_a_zone_of_pytz_is_taken_by_its_name():
    assert to_ns("2026-07-01T12:00", zone_of(LikePytz("Europe/Paris"))) == to_ns("2026-07-01T10:00")
    assert to_ns("2026-01-01T12:00", zone_of(LikePytz("UTC"))) == to_ns("2026-01-01T12:00")
    with pytest.raises(oto.InvalidArgument, match="has no name; give datetime.timezone"):
        zone_of(LikePytz(None))
