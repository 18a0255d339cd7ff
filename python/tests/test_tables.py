"""Tables: made, found, appended to and read; what each verb gives back."""

import datetime as dt
import pathlib

import numpy as np
import pandas as pd
import pytest

import otolith as oto
from conftest import QUOTES, rows


def test_open_makes_a_folder_and_finds_it_again(path):
    with oto.open(path) as db:
        db.create_table("quotes", QUOTES, keys=["symbol"]).append(rows(3))
    with oto.open(str(path), create=False) as db:
        assert len(db["quotes"]) == 3


def test_open_takes_every_option(path):
    db = oto.open(
        pathlib.Path(path), create=True, durability="relaxed", threads=1, memory_bytes=1 << 26,
        mmap=False,
        timezone="Europe/Paris", author="ana", lock_wait="500ms",
    )  # fmt: skip
    with db:
        c = db.create_table("t", {"time": "timestamp"}).append({"time": "2026-01-05T12:00"})
        assert c.author == "ana"
        assert db["t"].time_range[0] == np.datetime64("2026-01-05T11:00")
        assert (
            db["t"].read(start="2026-01-05T12:00").to_pylist(times="ns")[0]["time"]
            == 1_767_610_800_000_000_000
        )


@pytest.mark.parametrize("lock_wait", ["10s", "1.5 m", 0, 2.5, dt.timedelta(seconds=3)], ids=repr)
def test_lock_wait_takes_text_seconds_and_timedeltas(lock_wait):
    oto.open(":memory:", lock_wait=lock_wait).close()


def test_a_database_names_its_datasets(db):
    assert db.datasets() == [] and "b" not in db
    for name in ["b", "a", "..", "a/b", "é"]:
        db.create_table(name, {"time": "timestamp"})
    assert db.datasets() == sorted(["b", "a", "..", "a/b", "é"], key=str.encode) == list(db)
    assert "a/b" in db and 7 not in db
    assert db["a/b"].name == "a/b"


def test_a_schema_says_what_was_declared(db):
    table = db.create_table(
        "t",
        {"when": "timestamp", "who": str, "x": oto.required(np.float32), "n": "int64"},
        keys=["who"], time="when", partition="month", codec={"x": "raw"},
        metadata={"source": "feed A"},
    )  # fmt: skip
    schema = table.schema
    assert schema.names == ["when", "who", "x", "n"]
    assert (schema.time, schema.keys, schema.partition, schema.codec) == (
        "when",
        ("who",),
        "month",
        "hot",
    )
    assert [c.dtype.nullable for c in schema] == [False, False, False, True]
    assert schema["x"].codec == "raw" and schema.metadata == {"source": "feed A"}
    assert "float32" in repr(schema) and "required" in repr(schema) and "key" in repr(schema)


@pytest.mark.parametrize("partition", ["hour", "day", "month", "year", None])
def test_any_partition_gives_the_same_rows(db, partition):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"}, partition=partition)
    times = np.array(["2027-03-01", "2026-01-05T10:00", "2026-01-05T09:00", "2025-12-31"], "M8[s]")
    table.append({"time": times, "n": [3, 2, 1, 0]})
    assert table.schema.partition == partition
    assert table.read()["n"].tolist() == [0, 1, 2, 3]


def test_exist_ok_takes_an_equal_schema_only(db, quotes):
    head = db.head
    assert db.create_table("quotes", QUOTES, keys=["symbol"], exist_ok=True).name == "quotes"
    with pytest.raises(oto.Conflict, match="quotes"):
        db.create_table("quotes", QUOTES, keys=["symbol"])
    with pytest.raises(oto.Conflict, match="another schema"):
        db.create_table("quotes", QUOTES, exist_ok=True)
    assert db.head == head


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ({"time": "2026-01-05", "symbol": "A"}, 1),
        ([{"time": "2026-01-05", "symbol": "A"}, {"time": 7, "symbol": "B", "size": 3}], 2),
        (rows(4), 4),
        ({name: list(values) for name, values in rows(4).items()}, 4),
        ({name: tuple(values) for name, values in reversed(rows(4).items())}, 4),
        (pd.DataFrame(rows(4)), 4),
        (pd.DataFrame(rows(4)).set_index("time"), 4),
        (pd.DataFrame(rows(4)).set_index("time").rename_axis(None), 4),
        (pd.DataFrame(rows(4)).convert_dtypes(), 4),
        (pd.DataFrame(rows(4)).astype({"symbol": "category"}), 4),
        (np.rec.fromarrays(list(rows(4).values()), names=list(QUOTES)), 4),
        ([], 0),
        ({name: [] for name in QUOTES}, 0),
        (pd.DataFrame(rows(0)), 0),
    ],
    ids=["one dict", "dicts", "arrays", "lists", "tuples", "frame", "index", "nameless index",
         "nullable", "categories",
         "structured", "no dicts", "no rows", "empty frame"],
)  # fmt: skip
def test_append_takes(db, quotes, data, count):
    head = db.head
    c = quotes.append(data, author="bob", message="morning")
    assert len(quotes) == count
    if count == 0:
        assert (c.number, c.hash, c.changes) == (head.number, head.hash, {})
        assert db.head == head
    else:
        assert c == db.head and c.changes == {"quotes": (count, 0)}
        assert (c.author, c.message) == ("bob", "morning")
    if count == 4:
        d = quotes.read()
        for name, values in rows(4).items():
            assert d[name].tolist() == values.tolist(), name


def test_append_takes_what_was_read(db, quotes):
    quotes.append(rows(3))
    quotes.append(quotes.read())
    copy = db.create_table("copy", {**QUOTES, "size": "float64"})
    copy.append(quotes.read())
    assert copy.read()["size"].tolist() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]


def test_append_borrows_arrays_for_the_call_only(quotes):
    data = rows(3)
    quotes.append(data)
    data["bid"][:] = -1
    assert quotes.read()["bid"].tolist() == [0.0, 0.25, 0.5]


def test_nulls_come_back_as_nulls_and_nan_as_nan(db):
    table = db.create_table(
        "t", {"time": "timestamp", "x": "float64", "n": "int8", "s": "string", "t": "timestamp"}
    )
    table.append([
        {"time": "2026-01-05", "x": float("nan"), "n": 1, "s": "", "t": "2026-01-05"},
        {"time": "2026-01-06", "x": None, "n": None, "s": None, "t": None},
    ])  # fmt: skip
    d = table.read()
    assert np.isnan(d["x"][0]) and d["x"][1] is np.ma.masked
    assert d["n"].tolist() == [1, None] and d["s"].tolist() == ["", None]
    assert d["t"].mask.tolist() == [False, True]


def test_nan_can_be_null_on_request(db):
    table = db.create_table("t", {"time": "timestamp", "x": "float64"})
    frame = pd.DataFrame({"time": pd.to_datetime(["2026-01-05", "2026-01-06"]), "x": [1.5, np.nan]})
    table.append(frame)
    assert np.isnan(table.read()["x"][1])
    table.append(frame, nan="null")
    assert table.read(start="2026-01-06")["x"].mask.tolist() == [False, True]


def test_pandas_missing_text_and_numbers_are_null(quotes):
    frame = pd.DataFrame(rows(3))
    frame["size"] = pd.array([1, None, 3], dtype="Int32")
    frame["bid"] = pd.array([None, 2.5, 3.5], dtype="Float64")
    frame["time"] = frame["time"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    quotes.append(frame)
    d = quotes.read()
    assert d["size"].tolist() == [1, None, 3] and d["bid"].tolist() == [None, 2.5, 3.5]
    assert d["time"].tolist() == rows(3)["time"].tolist()


@pytest.fixture
def filled(quotes):
    """Three symbols, one row a second in turns, in two commits, late rows last."""
    data = rows(300)
    data["symbol"] = np.array(["A", "B", "C"] * 100, object)
    late = np.arange(300) % 7 == 0
    for part in (~late, late):
        quotes.append({name: values[part] for name, values in data.items()})
    return quotes


def test_read_gives_time_order(filled):
    d = filled.read()
    assert len(d) == 300 and d["size"].tolist() == list(range(300))
    assert d.columns == list(QUOTES) and d.schema.names == list(QUOTES)


def test_read_in_stored_order_is_by_partition_key_and_time(filled):
    d = filled.read(order="stored")
    pairs = list(zip(d["symbol"], d["size"].tolist()))
    assert pairs == sorted(pairs) and len(pairs) == 300


def test_read_is_half_open(filled):
    d = filled.read("2026-01-05T00:00:10", "2026-01-05T00:00:20")
    assert d["size"].tolist() == list(range(10, 20))
    assert len(filled.read(stop="2026-01-05")) == 0
    assert len(filled.read(start=np.datetime64("2026-01-05T00:04:59"))) == 1


def test_read_gives_columns_in_the_order_asked_for(filled):
    d = filled.read(columns=["size", "time"])
    assert d.columns == ["size", "time"] and d["size"].tolist() == list(range(300))
    assert filled.read(columns="bid").columns == ["bid"]


@pytest.mark.parametrize(
    "keys", ["A", ["A"], ("A", "nobody"), np.array(["A"]), pd.Series(["A"]), {"A"}], ids=repr
)
def test_read_by_key(filled, keys):
    d = filled.read(keys={"symbol": keys})
    assert d["size"].tolist() == list(range(0, 300, 3))


def test_read_limits_and_reverses(filled):
    assert filled.read(limit=3)["size"].tolist() == [0, 1, 2]
    assert filled.read(limit=3, reverse=True)["size"].tolist() == [299, 298, 297]
    assert filled.read(keys={"symbol": "B"}, limit=2, reverse=True)["size"].tolist() == [298, 295]
    assert len(filled.read(limit=0)) == 0
    assert filled.head(2)["size"].tolist() == [0, 1]
    assert filled.tail(2)["size"].tolist() == [298, 299]
    assert len(filled.head()) == len(filled.tail()) == 5


def test_read_by_integer_keys(db):
    table = db.create_table("t", {"time": "timestamp", "id": "uint64", "n": "int8"}, keys=["id"])
    table.append({"time": [1, 2, 3], "id": np.array([0, 7, 2**64 - 1], np.uint64), "n": [1, 2, 3]})
    assert table.read(keys={"id": 2**64 - 1})["n"].tolist() == [3]
    assert table.read(keys={"id": np.array([0, 7])})["n"].tolist() == [1, 2]


def test_equal_times_keep_stored_order(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int64"})
    for commit in range(5):
        table.append({"time": np.zeros(10, "i8"), "n": np.arange(10) + 10 * commit})
    assert table.read()["n"].tolist() == list(range(50))


def test_time_range_and_len(quotes):
    assert quotes.time_range is None and len(quotes) == 0
    quotes.append(rows(10))
    first, last = quotes.time_range
    assert first == np.datetime64("2026-01-05") and last == np.datetime64("2026-01-05T00:00:09")
    assert first.dtype == "M8[ns]" and len(quotes) == 10


def test_a_table_prints_itself(quotes):
    quotes.append(rows(1000))
    text = repr(quotes)
    assert "quotes: 1,000 rows, 2026-01-05T00:00:00Z to 2026-01-05T00:16:39Z" in text
    assert "symbol  string" in text
    assert "<table>" in quotes._repr_html_()


def test_a_closed_database_says_so(db, quotes):
    quotes.append(rows(3))
    kept = quotes.read()
    db.close()
    assert kept["bid"].tolist() == [0.0, 0.25, 0.5]
    for call in (
        quotes.read,
        db.datasets,
        lambda: quotes.append(rows(1)),
        lambda: db["quotes"],
        db.status,
        db.recorder,
    ):
        with pytest.raises(oto.InvalidArgument, match="closed"):
            call()
    assert "closed" in repr(db) and "closed" in repr(quotes)
    db.close()


def test_sizes_of_segments_are_kept_and_compact_makes_them(tmp_path):
    with oto.open(tmp_path / "s.oto") as db:
        columns = {"time": "timestamp", "n": "int64"}
        table = db.create_table("t", columns, segment_bytes=8 << 20, spread=3)
        assert str(table.schema).endswith("codec hot · segment_bytes 8388608 · spread 3")
        table.append({"time": np.arange(50_000), "n": np.arange(50_000)})
        db.compact()
        assert db.status().datasets["t"].segments == 3
        assert table.read()["n"].sum() == sum(range(50_000))
        notes = db.collection("notes", codec="small", spread=2)
        notes.put({"_id": "a"})
        assert db.collection("notes", codec="small", spread=2)["a"] == {"_id": "a"}
        with pytest.raises(oto.Conflict, match='"notes" was made with codec "small", not "hot"'):
            db.collection("notes", codec="hot")
        with pytest.raises(oto.Conflict, match="made with spread 2, not 4; leave spread out"):
            db.collection("notes", spread=4)
        assert len(db.collection("notes", spread=2)) == 1  # of what is left out nothing is asked
        with pytest.raises(oto.InvalidArgument, match='the dataset: unknown codec "zip"'):
            db.collection("others", codec="zip")
    with oto.open(tmp_path / "s.oto") as db:
        assert db["t"].schema.core.spread == 3
