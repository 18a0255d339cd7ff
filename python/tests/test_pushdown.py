"""scan_polars and duckdb: what they push down is read, and no answer is another for it."""

import datetime as dt
import decimal
import functools
import math
import operator
import os
import random

import numpy as np
import pytest

import otolith as oto
from otolith.pushdown import Pushed

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")

DUCKDB_2 = int(duckdb.__version__.partition(".")[0]) >= 2
SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
START = 1_767_571_200 * 10**9  # 2026-01-05
MINUTE = 60 * 10**9


@pytest.fixture
def table(db):
    """Rows of every type with nulls, NaN, and times between microseconds."""
    columns = {
        "time": "timestamp", "s": "string", "x": "float64", "f": "float32", "n": "int32",
        "u": "uint64", "b": "bool", "d": "decimal(12,2)", "z": "binary", "seen": "timestamp",
    }  # fmt: skip
    t = db.create_table("t", columns, keys=["s"])
    rng = random.Random(SEED)
    values = {
        "time": lambda: START + rng.randrange(1000) * MINUTE + rng.choice([0, 0, 1, 999]),
        "s": lambda: rng.choice(["a", "b", "c", ""]),
        "x": lambda: rng.choice([math.nan, -0.0, 0.0, math.inf, rng.gauss(0, 2)]),
        "f": lambda: rng.choice([math.nan, 0.5, 1.5]),
        "n": lambda: rng.randrange(-5, 5),
        "u": lambda: rng.choice([0, 1, 2**64 - 1]),
        "b": lambda: rng.random() < 0.5,
        "d": lambda: decimal.Decimal(rng.randrange(-9, 9)) / 4,
        "z": lambda: rng.choice([b"", b"\0", b"ab"]),
        "seen": lambda: START + rng.randrange(-999, 999) * 1000 + rng.choice([0, 1]),
    }

    def value(name):
        return None if name not in ("time", "s") and rng.random() < 0.1 else values[name]()

    for _ in range(3):
        t.append({name: [value(name) for _ in range(500)] for name in columns})
    t.delete(where=oto.col("n") == 4)
    return t


@pytest.fixture
def reads(monkeypatch):
    """What tables were asked, one dict for each read, with the number of rows that came back."""
    asked = []
    read = oto.Table.read

    def recorded(self, start=None, stop=None, **options):
        data = read(self, start, stop, **options)
        asked.append({"start": start, "stop": stop, **options, "rows": len(data)})
        return data

    monkeypatch.setattr(oto.Table, "read", recorded)
    return asked


def utc(minutes):
    return dt.datetime(2026, 1, 5, tzinfo=dt.timezone.utc) + dt.timedelta(minutes=minutes)


# ---- Polars --------------------------------------------------------------------------------------


def polars_leaf(rng):
    c = pl.col
    at = utc(rng.randrange(-9, 1009))
    number = rng.choice([-2, 0, 1, 3, 0.5, -0.0, 1e300])
    compare = lambda a, b: rng.choice([a == b, a != b, a < b, a <= b, a > b, a >= b])  # noqa: E731
    return rng.choice(
        [
            lambda: compare(c(rng.choice(["time", "seen"])), at),
            lambda: compare(c("time"), pl.lit(str(at)[:19]).str.to_datetime(time_zone="UTC")),
            lambda: compare(pl.lit(at), c("time")),
            lambda: compare(c(rng.choice(["x", "n", "f"])), number),
            lambda: compare(pl.lit(number), c("x")),
            lambda: compare(c("u"), rng.choice([0, 1, 2**63])),
            lambda: compare(c("s"), rng.choice(["a", "b", "bb"])),
            lambda: compare(c("z"), b"\0"),
            lambda: compare(c("d"), decimal.Decimal("1.25")),
            lambda: compare(c("x"), c("n")),
            lambda: compare(c("x") * 2, number),
            lambda: c("n").is_between(-1, 2, closed=rng.choice(["both", "left", "right", "none"])),
            lambda: c("x").is_between(-1, 2),
            lambda: c("s").is_in(["a", "c"]),
            lambda: c("n").is_in(rng.sample(range(-5, 5), rng.randrange(4))),
            lambda: c("n").is_in([1, None]),
            lambda: c("x").is_in([0.0, math.nan]),
            lambda: c("time").is_in([at, utc(7)]),
            lambda: c(rng.choice(["x", "n", "s", "d", "b"])).is_null(),
            lambda: c(rng.choice(["x", "n", "s", "z"])).is_not_null(),
            lambda: c("x").is_nan(),
            lambda: c("b"),
            lambda: c("s").str.starts_with("a"),
            lambda: c("n").eq_missing(pl.lit(None, pl.Int32)),
        ]
    )()


def polars_predicate(rng, depth):
    if depth == 0 or rng.random() < 0.3:
        return polars_leaf(rng)
    if rng.random() < 0.25:
        return ~polars_predicate(rng, depth - 1)
    left, right = (polars_predicate(rng, depth - 1) for _ in range(2))
    return left & right if rng.random() < 0.6 else left | right


def test_polars_filters_give_what_polars_alone_gives(table):
    rng = random.Random(SEED)
    whole, lazy = table.read().to_polars(), oto.scan_polars(table)
    for _ in range(400):
        predicate = polars_predicate(rng, 3)
        expected = whole.lazy().filter(predicate).select("n", "x", "time").collect()
        found = lazy.filter(predicate).select("n", "x", "time").collect()
        assert found.equals(expected), predicate


def test_polars_reads_only_what_a_query_needs(table, reads):
    lazy = oto.scan_polars(table)
    day = (pl.col("time") >= utc(10)) & (pl.col("time") < utc(20))
    found = lazy.filter(day & (pl.col("n") > 0)).select("x").collect()
    [read] = [read for read in reads if read["rows"]]
    assert (read["start"], read["stop"]) == (START + 10 * MINUTE, START + 20 * MINUTE)
    assert sorted(read["columns"]) == ["n", "time", "x"] and repr(read["where"]) == "col('n') > 0"
    assert read["rows"] == len(found) > 0
    reads.clear()
    assert len(lazy.head(7).collect()) == 7 and reads[-1]["rows"] == 7
    lazy.filter(pl.col("s").str.to_uppercase() == "A").select("n").collect()
    assert sorted(reads[-1]["columns"]) == ["n", "s"] and reads[-1]["where"] is None


def test_polars_limits_count_rows_before_the_filter_behind_them(table):
    whole, lazy = table.read().to_polars(), oto.scan_polars(table)
    for query in (
        lambda frame: frame.head(9).filter(pl.col("n") > 0),
        lambda frame: frame.filter(pl.col("n") > 0).head(9),
        lambda frame: frame.filter(pl.col("n") > 0).slice(3, 9),
        lambda frame: frame.sort("time", "s", "x", "n", "u", "d").head(3),
        lambda frame: frame.select(pl.len()),
        lambda frame: frame.group_by("s").agg(pl.col("n").sum()).sort("s"),
    ):
        assert query(lazy).collect().equals(query(whole.lazy()).collect())
        assert query(lazy).collect(engine="streaming").equals(query(whole.lazy()).collect())


def test_polars_sees_commits_of_after_the_scan_was_made_unless_it_is_of_a_snapshot(db):
    t = db.create_table("t", {"time": "timestamp"})
    live, old = oto.scan_polars(t), oto.scan_polars(db.at("HEAD")["t"])
    t.append({"time": [1, 2]})
    assert len(live.collect()) == 2 and len(old.collect()) == 0
    with pytest.raises(oto.InvalidArgument, match="give a table"):
        oto.scan_polars("t")


def test_polars_gets_batches_of_the_rows_it_asks_for(db, monkeypatch):
    t = db.create_table("t", {"time": "timestamp", "n": "int64"})
    t.append({"time": np.arange(250_000), "n": np.arange(250_000)})
    handed_over = []
    register = pl.io.plugins.register_io_source

    def recorded(source, **options):
        def counted(columns, predicate, n_rows, batch_size):
            for frame in source(columns, predicate, n_rows, 40_000):
                handed_over.append(len(frame))
                yield frame

        return register(counted, **options)

    monkeypatch.setattr(pl.io.plugins, "register_io_source", recorded)
    lazy = oto.scan_polars(t)
    odd = pl.col("n").cast(pl.String).str.ends_with("1")  # which is asked of each frame
    for engine in ("in-memory", "streaming"):
        for query in (lambda frame: frame, lambda frame: frame.filter(odd).select("time")):
            handed_over.clear()
            found = query(lazy).collect(engine=engine)
            assert found.equals(query(t.read().to_polars().lazy()).collect())
            assert len(handed_over) >= 7 and max(handed_over) <= 40_000
    handed_over.clear()
    assert lazy.filter(pl.col("n") < 0).collect().schema == lazy.collect_schema()
    assert handed_over[0] == 0


# ---- DuckDB --------------------------------------------------------------------------------------


def duckdb_leaf(rng):
    op = rng.choice(["=", "<>", "<", "<=", ">", ">="])
    at = str(utc(rng.randrange(-9, 1009)))[:19] + rng.choice(["", ".000001"])
    number = rng.choice(["-2", "0", "1.5", "'inf'::double", "'nan'::double", "3"])
    return rng.choice(
        [
            f"{rng.choice(['time', 'seen'])} {op} '{at}'",
            f"'{at}' {op} time",
            f"time between '{at}' and '2026-01-05 12:00'",
            f"time in ('{at}', '2026-01-05 00:07:00')",
            f"x {op} {number}",
            f"f {op} 0.5",
            f"n {op} {rng.randrange(-5, 5)}",
            f"u {op} {rng.choice(['0', '18446744073709551615'])}",
            f"s {op} 'b'",
            f"z {op} '\\x00'::blob",
            f"d {op} 1.25",
            "x > n",
            "n in (1, 2, -3)",
            "s in ('a', 'c')",
            "x in (0.0, 1.0)",
            "n not in (1, 2)",
            f"{rng.choice(['x', 'n', 's', 'd', 'b'])} is null",
            f"{rng.choice(['x', 'n', 's', 'z'])} is not null",
            "isnan(x)",
            "b",
            "s like 'a%'",
            "n is distinct from 1" if DUCKDB_2 else "n <> 1",  # which DuckDB 1 refuses of any scan
        ]
    )


def duckdb_predicate(rng, depth):
    if depth == 0 or rng.random() < 0.3:
        return duckdb_leaf(rng)
    if rng.random() < 0.25:
        return f"not ({duckdb_predicate(rng, depth - 1)})"
    left, right = (duckdb_predicate(rng, depth - 1) for _ in range(2))
    return f"({left}) {'and' if rng.random() < 0.6 else 'or'} ({right})"


def fetched(connection, query):
    rows = connection.execute(query).fetchall()
    return sorted(rows, key=repr)


def test_duckdb_filters_give_what_duckdb_alone_gives(db, table):
    rng = random.Random(SEED)
    connection = oto.duckdb(db)
    connection.execute("create table whole as select * from t")
    for _ in range(400):
        predicate = duckdb_predicate(rng, 3)
        query = "select n, x, epoch_us(time) from {} where " + predicate
        found, expected = (fetched(connection, query.format(name)) for name in ("t", "whole"))
        assert repr(found) == repr(expected), predicate


def test_duckdb_reads_only_what_a_query_needs(db, table, reads):
    connection = oto.duckdb(db)
    reads.clear()
    query = (
        "select x from t where time >= '2026-01-05 00:10' and time < '2026-01-05 00:20' and n > 0"
    )
    found = connection.execute(query).fetchall()
    [read] = reads
    assert (read["start"], read["stop"]) == (START + 10 * MINUTE, START + 20 * MINUTE)
    assert {"x"} <= set(read["columns"]) <= {"x", "n", "time"}  # DuckDB 1 wants those it asks about
    assert repr(read["where"]) == "col('n') > 0"
    assert read["rows"] == len(found) > 0
    connection.execute("select count(*) from t where s in ('a', 'b')").fetchall()
    assert len(reads[-1]["columns"]) <= 2 and "isin(['a', 'b'])" in repr(reads[-1]["where"])


def test_duckdb_cuts_times_to_microseconds_towards_the_past(db):
    t = db.create_table("t", {"time": "timestamp", "seen": "timestamp"})
    t.append({"time": [-1, -1000, -1001, 999, 1001], "seen": [None, 5, -1, None, 1_999]})
    found = (
        oto.duckdb(db).sql("select epoch_us(time), epoch_us(seen) from t order by time").fetchall()
    )
    assert found == [(-2, -1), (-1, 0), (-1, None), (0, None), (1, 1)]
    asked = (
        "select epoch_us(time) from t where time >= '1969-12-31 23:59:59.999999' and time < 'epoch'"
    )
    assert oto.duckdb(db).sql(asked).fetchall() == [(-1,), (-1,)]


def test_duckdb_views_are_of_one_commit_and_join(db):
    t = db.create_table("a", {"time": "timestamp", "n": "int32"})
    db.create_table("b b", {"time": "timestamp", "m": "int32"}).append({"time": 1, "m": 10})
    t.append({"time": 1000, "n": 1})
    connection = oto.duckdb(db)
    t.append({"time": 1000, "n": 2})
    joined = 'select n, m from a join "b b" on epoch_us(a.time) = epoch_us("b b".time) + 1'
    assert connection.sql(joined).fetchall() == [(1, 10)]
    assert sorted(oto.duckdb(db).sql(joined).fetchall()) == [(1, 10), (2, 10)]
    assert oto.duckdb(db, at="HEAD~1").sql("from a").to_arrow_table().num_rows == 1
    assert oto.duckdb(db.at(1)).sql("select count(*) from a").fetchall() == [(0,)]
    with pytest.raises(oto.InvalidArgument, match="a snapshot is of one commit"):
        oto.duckdb(db.at(1), at=1)
    with pytest.raises(oto.InvalidArgument, match="give a database"):
        oto.duckdb("market.oto")


def test_duckdb_understands_text_as_times_of_the_zone_of_the_database():
    with oto.open(":memory:", timezone="Europe/Paris") as db:
        db.create_table("t", {"time": "timestamp"}).append({"time": "2026-07-01T12:00"})
        found = oto.duckdb(db).sql("select count(*) from t where time = '2026-07-01 12:00'")
        assert found.fetchall() == [(1,)]


@pytest.mark.parametrize("hours", [2, -5, 14, -12, 0])
def test_duckdb_understands_text_as_times_of_a_fixed_offset(hours):
    zone = dt.timezone(dt.timedelta(hours=hours))
    with oto.open(":memory:", timezone=zone) as db:
        t = db.create_table("t", {"time": "timestamp"})
        t.append({"time": ["2026-07-01T12:00", "2026-07-01T12:00Z"]})
        found = oto.duckdb(db).sql("select count(*) from t where time = '2026-07-01 12:00'")
        assert found.fetchall() == [(len(t.read("2026-07-01T12:00", "2026-07-01T12:01")),)]
        assert db.at("HEAD").timezone == str(zone)


class Summer(dt.tzinfo):
    """A zone that has neither a name nor an offset of its own."""

    def utcoffset(self, time):
        return dt.timedelta(hours=2 if 4 <= time.month <= 9 else 1)

    def __str__(self):
        return "summer"


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (dt.timezone(dt.timedelta(hours=5, minutes=30)), "UTC+05:30"),
        (dt.timezone(-dt.timedelta(hours=3, minutes=30), "Newfoundland"), "UTC-03:30"),
        (dt.timezone(dt.timedelta(hours=15)), "UTC+15:00"),
        (Summer(), "summer"),
    ],
)
def test_duckdb_refuses_zones_that_it_lacks(zone, name):
    with oto.open(":memory:", timezone=zone) as db:
        assert db.at("HEAD").timezone == name
        with pytest.raises(oto.InvalidArgument, match="open it with timezone= an IANA") as error:
            oto.duckdb(db)
        assert f'"{name}"' in str(error.value)


def test_duckdb_refuses_datasets_that_differ_in_case_only(db):
    for name in ("quotes", "ä", "Ä", "Quotes"):
        db.create_table(name, {"time": "timestamp"})
    db["Ä"].append({"time": 1})
    with pytest.raises(oto.InvalidArgument, match="db.rename") as error:
        oto.duckdb(db)
    assert '"Quotes" and "quotes"' in str(error.value)
    db.rename("Quotes", "old")
    connection = oto.duckdb(db)
    counts = [connection.sql(f'select count(*) from "{name}"').fetchall() for name in "äÄ"]
    assert counts == [[(0,)], [(1,)]]


def test_duckdb_numbers_columns_that_differ_in_case_only(db):
    t = db.create_table("t", {"time": "timestamp", "x": "int32", "X": "int32"})
    t.append({"time": [1, 2], "x": [1, 2], "X": [20, 10]})
    connection = oto.duckdb(db)
    assert connection.sql("select x, X_1 from t where X_1 = 10").fetchall() == [(2, 10)]
    assert connection.sql("select X_1 from t where x = 1").fetchall() == [(20,)]


def test_duckdb_makes_batches_of_what_was_read_when_it_asks_for_them(db, monkeypatch):
    t = db.create_table("t", {"time": "timestamp", "n": "int64"})
    t.append({"time": np.arange(250_000) * 1000, "n": np.arange(250_000)})
    connection = oto.duckdb(db)
    made = []
    in_microseconds = oto.duckdb_views._in_microseconds

    def recorded(rows, library):
        made.append(len(rows))
        return in_microseconds(rows, library)

    monkeypatch.setattr("otolith.duckdb_views._in_microseconds", recorded)
    found = connection.sql("select count(*), max(epoch_us(time)), sum(n) from t").fetchall()
    assert found == [(250_000, 249_999, 249_999 * 125_000)]
    assert sum(made) == 250_000 and max(made) <= 65_536


@pytest.mark.skipif(not DUCKDB_2, reason="refused, since DuckDB 1 forgets NaN")
def test_what_a_filter_of_an_unknown_form_asks_is_left_to_pyarrow(db, table, monkeypatch):
    monkeypatch.setattr("otolith.duckdb_views._word", lambda line: ("new", line))
    query = "select count(*) from t where n = 1 and s = 'a'"
    expected = len(table.read(where=(oto.col("n") == 1) & (oto.col("s") == "a")))
    assert oto.duckdb(db).sql(query).fetchall() == [(expected,)]


def nested(parts, both, either):
    """Each part in the next, in turn by and and by or."""
    made = parts[0]
    for i, part in enumerate(parts[1:]):
        made = both(made, part) if i % 2 else either(made, part)
    return made


@pytest.mark.parametrize("levels", [60, 150])
def test_filters_beyond_the_limits_of_conditions_are_left_to_the_engine(db, table, reads, levels):
    connection = oto.duckdb(db)
    connection.execute("create table whole as select * from t")
    whole, lazy = table.read().to_polars(), oto.scan_polars(table)
    day = (pl.col("time") < utc(500), "time < '2026-01-05 08:20'")
    parts = [pl.col("n") != i % 9 - 4 for i in range(levels)]
    in_polars = nested(parts, lambda a, b: a & b, lambda a, b: a | b) & day[0]
    parts = [f"n <> {i % 9 - 4}" for i in range(levels)]
    either = lambda a, b: f"({a} or {b})"  # noqa: E731
    in_sql = nested(parts, lambda a, b: f"({a} and {b})", either) + f" and {day[1]}"
    reads.clear()
    assert lazy.filter(in_polars).collect().equals(whole.filter(in_polars))
    query = "select n, x, epoch_us(time) from {} where " + in_sql
    found, expected = (fetched(connection, query.format(name)) for name in ("t", "whole"))
    assert repr(found) == repr(expected) and len(found) > 0
    assert [read["stop"] for read in reads if read["rows"]] == [START + 500 * MINUTE] * 2


def test_long_lists_are_left_to_the_engine(db, table, reads, monkeypatch):
    connection = oto.duckdb(db)
    connection.execute("create table whole as select * from t")
    whole, lazy = table.read().to_polars(), oto.scan_polars(table)
    for count, pushed in ((100, True), (10_001, False), (600_000, False)):
        values = list(range(3, count + 3))
        reads.clear()
        asked = pl.col("n").is_in(values) & (pl.col("s") == "a")
        assert lazy.filter(asked).collect().equals(whole.filter(asked))
        if count < 100_000:  # which DuckDB takes long to parse
            query = f"select n, x from {{}} where (n in {tuple(values)} or n = 1) and s = 'a'"
            found, expected = (fetched(connection, query.format(name)) for name in ("t", "whole"))
            assert repr(found) == repr(expected)
        assert all(("isin" in repr(read["where"])) == pushed for read in reads if read["rows"])
        assert all("'a'" in repr(read["where"]) for read in reads if read["rows"])


def test_conditions_too_large_together_leave_the_range_of_time(db, table, reads, monkeypatch):
    wide = functools.reduce(operator.or_, [oto.col("b")] * 100_001)  # more parts than are taken
    with pytest.raises(oto.LimitExceeded):
        table.read(where=wide)
    monkeypatch.setattr("otolith.pushdown.Predicates.true", lambda self, name: Pushed(wide))
    whole, lazy = table.read().to_polars(), oto.scan_polars(table)
    reads.clear()
    asked = pl.col("b") & (pl.col("time") >= utc(500))
    found = lazy.filter(asked).collect()
    assert found.equals(whole.filter(asked))
    query = "select count(*) from t where b and time >= '2026-01-05 08:20'"
    assert oto.duckdb(db).sql(query).fetchall() == [(len(found),)]
    for read in [read for read in reads if read["rows"]]:
        assert read["where"] is None and read["start"] == START + 500 * MINUTE


# ---- Both ----------------------------------------------------------------------------------------


def test_tables_and_data_are_arrow_streams(table):
    assert pl.DataFrame(table).equals(table.read().to_polars())
    d = table.read(columns=["time", "s", "n", "d"])
    assert pa.table(d).equals(pa.table(table).select(d.columns)) and d.to_arrow().equals(
        pa.table(d)
    )
    assert duckdb.sql("select count(*) from d").fetchall() == [(len(d),)]
    assert table.read(columns=["x"], limit=3).to_arrow().num_rows == 3


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("polars", lambda db: oto.scan_polars(db["t"])),
        ("polars", lambda db: db["t"].read().to_polars()),
        ("pyarrow", lambda db: db["t"].read().to_arrow()),
        ("pandas", lambda db: db["t"].read().to_pandas()),
        ("duckdb", lambda db: oto.duckdb(db)),
    ],
)
def test_a_missing_library_is_named_with_how_to_install_it(db, monkeypatch, library, call):
    db.create_table("t", {"time": "timestamp"})
    real = __import__("importlib").import_module

    def missing(name, *rest):
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return real(name, *rest)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(ModuleNotFoundError, match=f"needs {library}, .* pip install") as error:
        call(db)
    assert error.value.name == library


def test_numbers_of_the_source_reach_the_engines_unchanged(table):
    d = table.read()
    arrow, polars = d.to_arrow(), d.to_polars()
    for name in ("x", "n", "u", "d"):
        listed = [None if v is np.ma.masked else v for v in d[name].tolist()]
        assert repr(arrow[name].to_pylist()) == repr(listed) == repr(polars[name].to_list())
