"""The edge between Python and the core: whatever is given, the error is ours and names it."""

import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto
from conftest import QUOTES, rows

LONE = "\ud800"  # a surrogate without its other half: a str, and no UTF-8
TIME = {"time": "timestamp"}


def test_a_path_need_not_be_utf8(tmp_path):
    path = os.path.join(tmp_path, os.fsdecode(b"caf\xe9.oto"))
    with oto.open(path) as db:
        db.create_table("t", TIME).append({"time": 0})
        assert db.path == path and db.status().path == path
        assert "caf\\xe9.oto" in repr(db)
        assert "caf\\xe9.oto" in repr(db.status())
    assert os.path.isdir(path)
    with pytest.raises(oto.NotFound, match=r"gon\\xe9"):
        oto.open(os.path.join(tmp_path, os.fsdecode(b"gon\xe9")), create=False)


def test_a_foreign_file_need_not_have_a_utf8_name(path):
    with oto.open(path) as db:
        db.create_table("t", QUOTES, keys=["symbol"]).append(rows(50_000))
        folder = os.fsencode(next(path.glob("segments/*")))
        with open(os.path.join(folder, b"caf\xe9.jpg"), "wb"):
            pass
        assert any("caf\\xe9.jpg" in entry for entry in db.status().foreign)


BAD_TEXTS = {
    "path": lambda db, t: oto.open(LONE),
    "author of open": lambda db, t: oto.open(":memory:", author=LONE),
    "table": lambda db, t: db.create_table(LONE, TIME),
    "column": lambda db, t: db.create_table("u", {**TIME, LONE: "int8"}),
    "type": lambda db, t: db.create_table("u", {"time": LONE}),
    "time column": lambda db, t: db.create_table("u", TIME, time=LONE),
    "key column": lambda db, t: db.create_table("u", TIME, keys=[LONE]),
    "partition": lambda db, t: db.create_table("u", TIME, partition=LONE),
    "codec": lambda db, t: db.create_table("u", TIME, codec=LONE),
    "codec of a column": lambda db, t: db.create_table("u", TIME, codec={"time": LONE}),
    "column of a codec": lambda db, t: db.create_table("u", TIME, codec={LONE: "raw"}),
    "metadata": lambda db, t: db.create_table("u", TIME, metadata={"a": LONE}),
    "metadata key": lambda db, t: db.create_table("u", TIME, metadata={LONE: "a"}),
    "author": lambda db, t: t.append({"time": 0, "symbol": "A"}, author=LONE),
    "message": lambda db, t: t.append({"time": 0, "symbol": "A"}, message=LONE),
    "extra": lambda db, t: t.append({"time": 0, "symbol": "A"}, extra={"a": LONE}),
    "change_id": lambda db, t: t.append({"time": 0, "symbol": "A"}, change_id=LONE),
    "author of a recorder": lambda db, t: db.recorder(author=LONE),
    "extra column": lambda db, t: t.append([{"time": 0, "symbol": "A", LONE: 1}]),
    "time": lambda db, t: t.append({"time": LONE, "symbol": "A"}),
    "text": lambda db, t: t.append({"time": 0, "symbol": LONE}),
    "zone": lambda db, t: t.read(timezone=LONE),
    "dataset": lambda db, t: db[LONE],
    "dataset of a snapshot": lambda db, t: db.at(0)[LONE],
    "dataset of a recorder": lambda db, t: db.recorder()[LONE],
    "dataset of log": lambda db, t: db.log(LONE),
    "author of log": lambda db, t: db.log(author=LONE),
    "since": lambda db, t: db.log(since=LONE),
    "reference": lambda db, t: db.at(LONE),
    "as of": lambda db, t: db.at(time=LONE),
    "tag": lambda db, t: db.tag("v" + LONE),
    "tagged": lambda db, t: db.tag("v", LONE),
    "untag": lambda db, t: db.untag(LONE),
    "start": lambda db, t: t.read(LONE),
    "columns": lambda db, t: t.read(columns=[LONE]),
    "keys": lambda db, t: t.read(keys={LONE: "A"}),
    "values of keys": lambda db, t: t.read(keys={"symbol": LONE}),
    "order": lambda db, t: t.read(order=LONE),
    "column of a result": lambda db, t: t.read()[LONE],
    "index of a frame": lambda db, t: t.read().to_pandas(index=LONE),
    "column of a schema": lambda db, t: t.schema[LONE],
}


@pytest.mark.parametrize("what", BAD_TEXTS)
def test_text_that_is_no_utf8_is_refused_by_name(db, quotes, what):
    head = db.head
    with pytest.raises((oto.InvalidArgument, oto.NotFound)) as caught:
        BAD_TEXTS[what](db, quotes)
    text = str(caught.value)
    assert text.encode() and ("ud800" in text or "lone surrogate" in text)
    assert db.head == head and LONE not in db and LONE not in db.at(0)


BAD_TYPES = {
    "threads=10,000,000,000": lambda db, t: oto.open(":memory:", threads=10**10),
    "memory_bytes=": lambda db, t: oto.open(":memory:", memory_bytes=10**30),
    "author=5": lambda db, t: oto.open(":memory:", author=5),
    "durability=": lambda db, t: oto.open(":memory:", durability=[]),
    "lock_wait=": lambda db, t: oto.open(":memory:", lock_wait=[]),
    "path=": lambda db, t: oto.open(5),
    "path=b": lambda db, t: oto.open(b"market.oto"),
    "order=": lambda db, t: t.read(order=[]),
    "columns=5": lambda db, t: t.read(columns=5),
    "limit=": lambda db, t: t.read(limit=[]),
    "keys=5": lambda db, t: db.create_table("u", TIME, keys=5),
    "partition=": lambda db, t: db.create_table("u", TIME, partition=[]),
    "dataset=5": lambda db, t: db.log(5),
    "author=6": lambda db, t: db.log(author=6),
    "message=7": lambda db, t: db.recorder(message=7),
}


@pytest.mark.parametrize("message", BAD_TYPES)
def test_options_of_another_type_are_refused_by_name(db, quotes, message):
    with pytest.raises(oto.InvalidArgument, match=message.replace(",", "")):
        BAD_TYPES[message](db, quotes)


def test_a_snapshot_refuses_to_write(db, quotes):
    old = db.at("HEAD")
    for write in (
        lambda: old.create_table("u", TIME),
        lambda: old.recorder(author="ana"),
        lambda: old.tag("v1"),
        lambda: old.untag("v1"),
        lambda: old["quotes"].append(rows(1)),
    ):
        with pytest.raises(oto.InvalidArgument, match="snapshot|as of"):
            write()
    with pytest.raises(AttributeError, match="creat_table"):
        old.creat_table("u", TIME)
    assert not hasattr(old, "nothing") and db.tags() == {}


MANY = {
    "list": ["B", "C"],
    "set": {"B", "C"},
    "dict keys": {"B": 1, "C": 2}.keys(),
    "generator": lambda: (symbol for symbol in "BC"),
    "array": np.array(["B", "C"]),
    "series": pd.Series(["B", "C"]),
    "unique": pd.Series(["B", "C", "B"]).unique(),
    "index": pd.Index(["B", "C"]),
    "categorical": pd.Categorical(["B", "C"]),
    "polars": pl.Series(["B", "C"]),
    "arrow": pa.array(["B", "C"]),
    "arrow chunks": pa.chunked_array([["B"], ["C"]]),
    "arrow dictionary": pa.array(["B", "C"]).dictionary_encode(),
}


@pytest.mark.parametrize("form", MANY)
def test_keys_are_asked_for_by_anything_that_holds_many(db, form):
    table = db.create_table("t", {**TIME, "k": "string"}, keys=["k"])
    table.append({"time": np.arange(4), "k": [*"ABCD"]})
    many = MANY[form]() if form == "generator" else MANY[form]
    assert table.read(keys={"k": many})["k"].tolist() == ["B", "C"]


def test_one_key_is_one_key(db):
    table = db.create_table("t", {**TIME, "k": "int64", "s": "string"}, keys=["k", "s"])
    table.append({"time": np.arange(4), "k": np.arange(4), "s": ["AB", "A", "B", "C"]})
    assert table.read(keys={"s": "AB"})["s"].tolist() == ["AB"]
    for one in (2, np.int8(2), np.array(2), pa.array([2]), range(2, 3), pl.Series([2])):
        assert table.read(keys={"k": one})["k"].tolist() == [2]
    assert len(table.read(keys={"k": []})) == 0
    for none in (None, [None], pa.array([None], pa.int64()), b"B", 1.5):
        with pytest.raises(oto.InvalidArgument, match='keys: "k" is asked for as'):
            table.read(keys={"k": none})


def test_keys_that_are_times_are_asked_for_like_any_time(db):
    table = db.create_table("t", {**TIME, "k": "timestamp", "s": "string"}, keys=["k", "s"])
    noon = "2026-01-05T12:00"
    table.append({"time": [1, 2], "k": [noon, "2026-01-06"], "s": [noon, "B"]})
    for form in (
        noon,
        [noon],
        np.datetime64(noon),
        np.array([noon], "M8[s]"),
        pd.Timestamp(noon),
        pd.Series(pd.to_datetime([noon])),
        pa.array([noon]).cast(pa.timestamp("s")),
        pl.Series([pd.Timestamp(noon).to_pydatetime()]),
    ):
        assert len(table.read(keys={"k": form})) == 1
    assert len(table.read(keys={"k": "2026-01-05T13:00"}, timezone="Europe/Paris")) == 1
    assert len(table.read(keys={"s": noon})) == 1
    with pytest.raises(oto.InvalidArgument, match='"then" is not a time'):
        table.read(keys={"k": "then"})


EMPTY = {
    "NumPy": np.array([]),
    "truth values": np.array([], bool),
    "list": [],
    "Series": pd.Series([], dtype="float64"),
    "Arrow": pa.array([], pa.bool_()),
    "Arrow without a type": pa.array([]),
    "Arrow chunks": pa.chunked_array([pa.array([], pa.bool_())]),
    "no Arrow chunk": pa.chunked_array([], pa.bool_()),
    "Polars": pl.Series([], dtype=pl.Boolean),
}


@pytest.mark.parametrize("nan", ["keep", "null"])
@pytest.mark.parametrize("form", EMPTY)
def test_what_is_empty_fits_every_type(db, quotes, form, nan):
    head = db.head
    assert quotes.append(dict.fromkeys(QUOTES, EMPTY[form]), nan=nan).changes == {}
    assert db.head == head


def test_an_empty_frame_fits_a_table(db, quotes):
    for frame in (
        pd.DataFrame(columns=list(QUOTES)),
        pa.table(dict.fromkeys(QUOTES, pa.array([], pa.bool_()))),
        pl.DataFrame(dict.fromkeys(QUOTES, [])),
    ):
        assert quotes.append(frame).changes == {}


def test_a_report_says_where_the_damage_is(path):
    with oto.open(path) as db:
        db.create_table("t", {**TIME, "x": "float64"}, codec="raw").append(
            {"time": np.arange(100_000), "x": np.arange(100_000) / 8}
        )
    segment = next(path.glob("segments/**/*.seg"))
    damaged = bytearray(segment.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 8] = bytes(b ^ 0xFF for b in damaged[middle : middle + 8])
    segment.write_bytes(damaged)
    with oto.open(path) as db:
        report = db.verify()
    text = repr(report)
    assert text.startswith("1 problem; 0 segments, ")
    assert f"(at file {segment.relative_to(path)}, offset " in text
    assert str(report.problems[0]) in text


def test_counts_are_in_the_number_they_have(db):
    db.create_table("t", TIME).append({"time": 0})
    assert ": 1 dataset, HEAD" in repr(db)
    assert "  t: 1 row, 0 segments of " in repr(db.status())
    db.create_table("u", TIME)
    assert ": 2 datasets, HEAD" in repr(db)
