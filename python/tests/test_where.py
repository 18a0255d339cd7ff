"""Conditions: `read(where=)` against masks of NumPy and pandas, and what is refused."""

import datetime as dt
import decimal
import operator
import random
import time

import numpy as np
import pandas as pd
import pytest

import otolith as oto
from conftest import rows

COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
NUMBERS = {
    "i8": oto.int8, "u8": oto.uint8, "i64": oto.int64, "u64": oto.uint64, "f32": oto.float32,
    "f64": oto.float64,
}  # fmt: skip


def numbers(count, seed):
    rng = np.random.default_rng(seed)
    floats = rng.choice([0.0, -0.0, 0.5, 90.5, np.inf, -np.inf, np.nan, 3e38, 1e-40], count)
    return {
        "i8": rng.integers(-128, 128, count, np.int8),
        "u8": rng.integers(0, 256, count, np.uint8),
        "i64": rng.choice([-(2**63) + 1, -1, 0, 7, 90, 2**53 + 1, 2**63 - 1], count),
        "u64": rng.choice(np.array([0, 7, 90, 2**63, 2**64 - 1], np.uint64), count),
        "f32": floats.astype(np.float32),
        "f64": floats,
    }


def make(db, count, seed, commits=3, **options):
    """A table of numbers, of nulls where `valid` is False; its columns as Python objects."""
    table = db.create_table(
        "n", {"time": oto.timestamp, "place": oto.int64, "text": oto.string, **NUMBERS}, **options
    )
    columns = numbers(count, seed)
    rng = np.random.default_rng(seed + 1)
    valid = {name: rng.random(count) < 0.9 for name in columns}
    texts = rng.choice(np.array(["", "a", "AAPL", "zzzzzzzzzzzzzzzzz", "é"], object), count)
    place = np.arange(count)
    for part in np.array_split(place, commits):
        data = {
            name: np.ma.MaskedArray(values[part], mask=~valid[name][part])
            for name, values in columns.items()
        }
        table.append({"time": part, "place": part, "text": texts[part], **data})
    return table, columns, valid, texts


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda c: c.__name__)
def test_comparisons_are_those_of_python_by_value(db, name, compare):
    table, columns, valid, _ = make(db, 400, 1)
    values = columns[name].tolist()
    for constant in [0, -1, 7, 90, 90.5, 255, 256, 2**53, 2**63, 2**64, 2**70, 1e300, np.inf,
                     -np.inf, np.nan, -0.0, np.float32(0.1), np.int8(-7), 3e38]:  # fmt: skip
        number = constant.item() if isinstance(constant, np.generic) else constant
        hit = np.array([compare(value, number) for value in values]) & valid[name]
        miss = ~np.array([compare(value, number) for value in values]) & valid[name]
        where = compare(oto.col(name), constant)
        assert table.read(where=where)["place"].tolist() == np.flatnonzero(hit).tolist(), where
        assert table.read(where=~where)["place"].tolist() == np.flatnonzero(miss).tolist(), where


def condition(random_, columns, valid, texts, depth):
    """A random condition, and the rows for which it is true and those for which it is false."""
    kind = random_.randrange(6) if depth else 9
    if kind < 4:
        a, a_true, a_false = condition(random_, columns, valid, texts, depth - 1)
        b, b_true, b_false = condition(random_, columns, valid, texts, depth - 1)
        if kind < 2:
            return a & b, a_true & b_true, a_false | b_false
        return a | b, a_true | b_true, a_false & b_false
    if kind == 4:
        a, a_true, a_false = condition(random_, columns, valid, texts, depth - 1)
        return ~a, a_false, a_true
    if random_.random() < 0.2:
        series = pd.Series(texts)
        some = random_.choices(["", "a", "AAPL", "zzzzzzzzzzzzzzzzz", "é", "b"], k=2)
        if random_.random() < 0.5:
            hit = series.isin(some).to_numpy()
            return oto.col("text").isin(some), hit, ~hit
        hit = series.between(min(some), max(some)).to_numpy()
        return oto.col("text").between(min(some), max(some)), hit, ~hit
    name = random_.choice(list(columns))
    series, there = pd.Series(columns[name]), valid[name]
    pick = random_.choice([value for value in columns[name].tolist() if value == value])
    form = random_.randrange(4)
    if form == 0:
        return oto.col(name).is_null(), ~there, there
    if form == 1:
        hit = series.isin([pick]).to_numpy()
        return oto.col(name).isin([pick, 300.25, np.nan]), hit & there, ~hit & there
    if form == 2:
        hit = ((columns[name] >= 0) & (columns[name] <= 90)).astype(bool)
        return oto.col(name).between(0, 90), hit & there, ~hit & there
    compare = random_.choice(COMPARISONS)
    hit = compare(series, columns[name].dtype.type(pick)).to_numpy()
    return compare(oto.col(name), pick), hit & there, ~hit & there


@pytest.mark.parametrize("codec", ["hot", "small", "raw"])
def test_random_conditions_select_what_masks_select(path, codec):
    with oto.open(path) as db:
        table, columns, valid, texts = make(db, 90_000, 5, commits=1, codec=codec)
        assert db.status().segment_bytes > 0 and db.status().tail_commits == 0
        random_ = random.Random(7)
        for _ in range(60):
            where, hit, _miss = condition(random_, columns, valid, texts, 3)
            got = table.read(where=where, columns=["place", "f64", "text"])
            assert got["place"].tolist() == np.flatnonzero(hit).tolist(), where
            assert got["text"].tolist() == texts[hit].tolist(), where
            want = np.ma.MaskedArray(columns["f64"], ~valid["f64"])[hit]
            np.testing.assert_array_equal(np.ma.filled(got["f64"], 1e9), want.filled(1e9))


def test_times_are_compared_in_every_form(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"})
    times = np.datetime64("2026-01-05", "ns") + np.arange(48) * np.timedelta64(1, "h")
    table.append({"time": times, "n": np.arange(48)})
    noon = dt.datetime(2026, 1, 6, 12)
    utc = noon.replace(tzinfo=dt.timezone.utc)
    numpy = np.datetime64("2026-01-06T12")
    for value in ["2026-01-06T12:00", noon, utc, numpy, pd.Timestamp(noon), 1767700800 * 10**9]:
        assert table.read(where=oto.col("time") >= value)["n"].tolist() == list(range(36, 48))
    paris = table.read(where=oto.col("time") < "2026-01-05T02:00", timezone="Europe/Paris")
    assert paris["n"].tolist() == [0]
    days = oto.col("time").between("2026-01-05T01:00", dt.datetime(2026, 1, 5, 3))
    assert table.read(where=days)["n"].tolist() == [1, 2, 3]
    assert len(table.read(where=oto.col("time").isin(times[:3]))) == 3


def beyond(sign):
    """Times that no column holds, in every form."""
    year = 3000 if sign > 0 else 1600
    return [
        f"{year}-01-01", f"{year}-01-01T00:00+05:00", dt.date(year, 1, 1), dt.datetime(year, 1, 1),
        dt.datetime(year, 1, 1, tzinfo=dt.timezone.utc), sign * 2**70, sign * 2**63,
        *(np.datetime64(f"{year}-01", unit) for unit in ["Y", "M", "W", "D", "h", "m", "s", "ms",
                                                         "us"]),
        np.datetime64(sign * 2**62, "Y"), np.datetime64(sign * 2**62, "D"),
        pd.Timestamp(np.datetime64(f"{year}-01-01", "s")),
        pd.Timestamp(np.datetime64(f"{year}-01-01", "us"), tz="Europe/Paris"),
    ]  # fmt: skip


def test_times_beyond_those_that_are_stored_are_later_or_earlier_than_all(db):
    table = db.create_table("t", {"time": "timestamp", "when": oto.timestamp, "n": "int32"})
    when = np.array([-(2**63) + 1, 0, 2**63 - 1], "M8[ns]")
    table.append({"time": when, "when": [when[0], None, when[2]], "n": np.arange(3)})
    for name, valid in [("time", 3), ("when", 2)]:
        col = oto.col(name)
        for sign in [1, -1]:
            for value in beyond(sign):
                for zone in [None, "Europe/Paris"]:

                    def count(where):
                        return len(table.read(where=where, timezone=zone))  # noqa: B023

                    later = valid if sign > 0 else 0
                    assert count(col < value) == count(col <= value) == later, value
                    assert count(col > value) == count(col >= value) == valid - later, value
                    assert count(col == value) == count(col.isin([value])) == 0
                    assert count(col != value) == count(~col.isin([value])) == valid
                    assert count(~(col < value)) == valid - later
        assert len(table.read(where=col.between(dt.date(1600, 1, 1), "3000-01-01"))) == valid
        assert len(table.read(where=col.between("3000-01-01", dt.date(1600, 1, 1)))) == 0
        assert len(table.read(where=col.isin(np.array(["3000", "1600"], "M8[D]")))) == 0
        assert len(table.read(where=col.isin(["3000-01-01", when[2]]))) == 1
    local = table.read(where=oto.col("time") <= "2262-04-11T23:47:16", timezone="America/New_York")
    assert len(local) == 3  # five hours later in UTC, which is beyond


def test_times_between_two_nanoseconds_are_compared_by_value(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"})
    table.append({"time": np.array([-1, 0, 1], "M8[ns]"), "n": np.arange(3)})

    def read(where):
        return table.read(where=where)["n"].tolist()

    when, half, none = oto.col("time"), np.datetime64(500, "ps"), np.datetime64(-500, "ps")
    assert read(when < half) == read(when <= half) == [0, 1]
    assert read(when > half) == read(when >= half) == [2]
    assert read(when == half) == read(when.isin([half, none])) == []
    assert read(when != half) == [0, 1, 2]
    assert read(when.isin([half, np.datetime64(1000, "ps")])) == [2]
    assert read(when.between(none, half)) == [1]
    assert read(when.between(half, np.datetime64(1, "s"))) == [2]
    assert read(when == np.datetime64(10**6, "fs")) == [2]
    assert read(when < np.datetime64(2**62, "as")) == [0, 1, 2]
    assert read(when > np.datetime64(2**62, "as")) == []


def test_arrow_times_are_of_the_zone_of_the_read(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"})
    table.append({"time": np.datetime64("2026-01-05", "ns") + np.arange(4), "n": np.arange(4)})
    local = np.array(["2026-01-05T01:00"], "M8[s]")
    pa = pytest.importorskip("pyarrow")
    for some in [local, list(local), pd.Series(local), pa.array(local)]:
        got = table.read(where=oto.col("time").isin(some), timezone="Europe/Paris")
        assert got["n"].tolist() == [0], type(some)
    far = pa.array(np.array(["3000-01-01", "2026-01-05T00:00"], "M8[s]"), pa.timestamp("s", "UTC"))
    assert table.read(where=oto.col("time").isin(far))["n"].tolist() == [0]
    aware = pa.array(local, pa.timestamp("s", "UTC"))
    assert len(table.read(where=oto.col("time").isin(aware), timezone="Europe/Paris")) == 0


def test_numbers_of_any_kind_lie_where_they_do(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32", "d": oto.decimal(9, 2)})
    table.append({"time": np.arange(3), "n": [-1, 0, 1],
                  "d": [decimal.Decimal(-1), decimal.Decimal(0), decimal.Decimal(1)]})  # fmt: skip
    D = decimal.Decimal
    for name in ["n", "d"]:
        for value, above in [(10**400, 0), (-(10**400), 3), (D("0.1"), 1), (D("-0.1"), 2),
                             (D("1E+300000000"), 0), (D("-1E+300000000"), 3), (D("1E-400"), 1),
                             (D("-1E-400"), 2), (D("0E-400"), 1), (D("NaN"), 0), (D("sNaN"), 0),
                             (D("Infinity"), 0), (D("-Infinity"), 3)]:  # fmt: skip
            assert len(table.read(where=oto.col(name) > value)) == above, (name, value)
    with pytest.raises(oto.InvalidArgument, match="no time"):
        table.read(where=oto.col("time") > np.timedelta64(1, "s"))


def test_where_goes_with_all_that_a_read_takes(quotes):
    quotes.append(rows(100))
    quotes.append(rows(50, symbol="MSFT"))
    got = quotes.read("2026-01-05T00:00:10", columns=["bid", "symbol"], keys={"symbol": "MSFT"},
                      where=(oto.col("bid") < 10) & (oto.col("size") > 20), limit=3,
                      reverse=True)  # fmt: skip
    assert got["bid"].tolist() == [9.75, 9.5, 9.25] and set(got["symbol"]) == {"MSFT"}


def test_an_old_state_is_filtered_like_the_newest(db, quotes):
    quotes.append(rows(10))
    before = db.at("HEAD")
    quotes.append(rows(10, symbol="MSFT"))
    where = oto.col("bid") >= 2
    assert len(quotes.read(where=where)) == 4 and len(before["quotes"].read(where=where)) == 2


def test_numbers_of_other_types_are_compared_by_value(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int64", "x": "float64"})
    table.append({"time": [0, 1], "n": [2**53, 2**53 + 1], "x": [0.5, 0.1]})
    assert len(table.read(where=oto.col("n") > 2.0**53)) == 1
    assert len(table.read(where=oto.col("n") == decimal.Decimal(2**53 + 1))) == 1
    assert len(table.read(where=oto.col("x") == decimal.Decimal("0.5"))) == 1
    assert len(table.read(where=oto.col("n").isin(np.array([2**53], np.uint64)))) == 1
    assert len(table.read(where=oto.col("n").isin([]))) == 0
    assert len(table.read(where=~oto.col("n").isin([]))) == 2


def test_a_chain_of_many_conditions_stays_flat(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"})
    table.append({"time": np.arange(2000), "n": np.arange(2000)})
    where = oto.col("n") == 0
    for n in range(2, 2000, 2):
        where = where | (oto.col("n") == n)
    assert len(table.read(where=where)) == 1000
    for _ in range(101):
        where = ~~where
    assert len(table.read(where=where)) == 1000


@pytest.mark.parametrize("front", [False, True])
def test_a_chain_made_in_a_loop_costs_what_it_is_long(db, front):
    table = db.create_table("t", {"time": "timestamp", "n": "int32", "x": "float64"})
    table.append({"time": np.arange(20_000), "n": np.arange(20_000), "x": np.arange(20_000) / 2})
    start = time.process_time()
    where, other = oto.col("n") == 0, oto.col("x") < 0
    for n in range(1, 10_001):
        one = oto.col("n") == n * 2
        where = one | where if front else where | one
        other = (oto.col("x").between(n, n + 0.4)) | other
    every = oto.col("n") >= 0
    for n in range(1, 10_001):
        every &= oto.col("n") != -n
    assert len(table.read(where=where)) == 10_000
    assert len(table.read(where=every)) == 20_000
    assert repr(where).endswith("… 9,901 more")
    taken = time.process_time() - start
    del where, every, one  # however deep
    assert taken < 5  # quadratic it was 40 and more
    assert len(table.read(where=other)) == 9_999


def test_conditions_too_deep_or_too_long_name_the_remedy(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"})
    deep = oto.col("n") == 0
    with pytest.raises(oto.LimitExceeded, match="isin"):
        for n in range(100):
            deep = (deep | (oto.col("n") == n)) & (oto.col("n") > 0)
    wide = oto.col("n") == 0
    for n in range(60_000):
        wide |= oto.col("n") == n
    with pytest.raises(oto.LimitExceeded, match="isin"):
        table.read(where=wide)


def test_a_limit_ends_a_filtered_read_early(path):
    """What stands behind the rows that it needs is not even read: there it is damaged."""
    count = 300_000
    n = np.arange(count) % 1000
    with oto.open(path) as db:
        table = db.create_table("t", {"time": "timestamp", "n": "int64"}, partition=None,
                                codec={"n": "raw"})  # fmt: skip
        table.append({"time": np.arange(count), "n": n})
    (file,) = path.glob("segments/*/*.seg")
    data = bytearray(file.read_bytes())
    data[data.rindex(n[-1000:].tobytes())] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    table, where = oto.open(path, read_only=True)["t"], oto.col("n") == 5
    assert table.read(where=where, limit=1)["time"].astype(int).tolist() == [5]
    assert table.read(where=where, limit=60)["n"].tolist() == [5] * 60
    for options in [{"limit": 1, "reverse": True}, {"limit": 1000}, {}]:
        with pytest.raises(oto.Corrupt):
            table.read(where=where, **options)


def test_conditions_print_as_they_are_written():
    a, b = oto.col("bid") > 90, oto.col("venue").is_null()
    assert repr((a & ~b) | (oto.col("n") != 3)) == (
        "((col('bid') > 90) & ~col('venue').is_null()) | (col('n') != 3)"
    )
    assert repr(oto.col("n").isin(range(100))).endswith("9, … 90 more])")


def bad_conditions():
    n = oto.col("n")
    return [
        (lambda: bool(n > 1), "& | ~"),
        (lambda: n > 1 and n < 3, "& | ~"),
        (lambda: 1 < n < 3, "between"),
        (lambda: not n, "& | ~"),
        (lambda: n == None, "is_null"),  # noqa: E711
        (lambda: n.isin([1, None]), "is_null"),
        (lambda: n > np.datetime64("NaT"), "is_null"),
        (lambda: n + None, "null for every row"),
        (lambda: n.isin([1, oto.col("x")]), "takes constants"),
        (lambda: n.str.contains(5), "give a text"),
        (lambda: n.dt.floor(5), "such as '1h'"),
        (lambda: n.cast("int7"), "int7"),
        (lambda: oto.condition(5), "give a text"),
        (lambda: n > 1 & n, "in parentheses"),
        (lambda: (n > 1) & True, "in parentheses"),
        (lambda: oto.col(7), "give the name"),
    ]


@pytest.mark.parametrize("case", range(len(bad_conditions())))
def test_misused_conditions_say_what_to_write(case):
    make_it, words = bad_conditions()[case]
    with pytest.raises(oto.InvalidArgument) as caught:
        make_it()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (oto.col("bit") > 1, 'no column "bit" (did you mean "bid"?)'),
        (oto.col("bid") > "1", 'column "bid" is float64 and is compared with str'),
        (oto.col("bid") > True, "give a number"),
        (oto.col("bid") > 10**40 + 1, "a number that float64 holds"),
        (oto.col("symbol") == 1, 'column "symbol" is string'),
        (oto.col("symbol") == b"A", "give text"),
        (oto.col("time") > 1.5, "is no time"),
        (oto.col("time") > "noon", "noon"),
        (oto.col("bid"), "no condition by itself"),
        (~oto.col("symbol"), "no condition by itself"),
        (np.array([True]), "give an expression"),
        (False, ".dt.year()"),
        ((oto.col("bid") > 1) > 5, "is bool and is compared with int 5; give True or False"),
        (oto.col("bid") > oto.col("symbol"), "float64 is not compared with string"),
        (oto.col("bid") + oto.col("symbol") > 1, "float64 and string do not go together"),
        (oto.col("bid") + oto.col("time") > 1, "time + ns"),
        (oto.col("bid") + object() > 1, "nothing to compute with"),
        (oto.col("bid").str.lower() == "a", "lower takes strings, not float64"),
        (oto.col("bid") + 1 > "a", "bid + 1 is float64 and is compared with str 'a'"),
        (oto.col("time").cast("float64") > 1, "timestamp cannot become float64"),
        (oto.col("symbol").str.matches("("), "where: matches(symbol, '('): \"(\" is no regular"),
        (oto.col("time").dt.floor("1 hour") > 1, 'where: "floor" of time: "1 hour" is no duration'),
        (oto.col("time").between("2026-01-05", "noon"), 'where: column "time": "noon" is not a'),
        (oto.col("time") - "noon" > 1, 'where: "noon" is not a time'),
        (oto.col("time") + 1 > "noon", 'where: time + 1: "noon" is not a time'),
    ],
    ids=repr,
)
def test_conditions_that_do_not_fit_the_table_are_refused(quotes, where, words):
    quotes.append(rows(3))
    with pytest.raises(oto.InvalidArgument) as caught:
        quotes.read(where=where)
    assert words in str(caught.value)


def test_messages_show_the_beginning_of_long_conditions(quotes):
    quotes.append(rows(3))
    long = "x" * 10**6
    for where in [
        oto.col("bid").isin(list(range(10**5))) == 5,
        oto.col("bid") + long > 1,
        (oto.col("symbol") == long).cast("int8") > "a",
        f"symbol.str.contains('{long}') > 5",
        f"bid + '{long}' > 1",
        f"time > '{long}'",
    ]:
        with pytest.raises(oto.InvalidArgument, match="where: ") as caught:
            quotes.read(where=where)
        assert len(str(caught.value)) < 800
        assert "…" in str(caught.value)


def test_a_condition_too_deep_is_refused():
    where = oto.col("n") == 1
    with pytest.raises(oto.LimitExceeded, match="nest it less"):
        for n in range(200):
            where = (where & (oto.col("n") == n)) | (oto.col("x") == n)
