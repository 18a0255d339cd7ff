"""Results: NumPy, pandas and Python views, pieces, previews."""

import datetime as dt
import time

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto
from conftest import QUOTES, rows

ALL = {
    "time": "timestamp", "f4": "float32", "f8": "float64", "i1": "int8", "i8": "int64",
    "u8": "uint64",
    "s": "string", "t": "timestamp",
}  # fmt: skip


@pytest.fixture
def mixed(db):
    table = db.create_table("mixed", ALL)
    table.append([
        {"time": "2026-01-05", "f4": 1.5, "f8": 0.1, "i1": -1, "i8": -(2**63), "u8": 2**64 - 1,
         "s": "é", "t": 1000},
        {"time": "2026-01-06"},
    ])  # fmt: skip
    return table


def test_arrays_are_typed_and_read_only(mixed):
    d = mixed.read(stop="2026-01-06")
    for name, dtype in {
        "time": "M8[ns]",
        "f4": "f4",
        "f8": "f8",
        "i1": "i1",
        "i8": "i8",
        "u8": "u8",
        "s": "O",
        "t": "M8[ns]",
    }.items():
        array = d[name]
        assert type(array) is np.ndarray and array.dtype == np.dtype(dtype), name
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
    assert (d["i8"][0], d["u8"][0], d["s"][0]) == (-(2**63), 2**64 - 1, "é")


def test_columns_with_nulls_are_masked(mixed):
    d = mixed.read()
    for name in ("f4", "f8", "i1", "i8", "u8", "t"):
        assert isinstance(d[name], np.ma.MaskedArray) and d[name].mask.tolist() == [False, True], (
            name
        )
    assert d["s"].tolist() == ["é", None] and type(d["time"]) is np.ndarray


def test_arrays_outlive_everything(path):
    with oto.open(path) as db:
        table = db.create_table("t", QUOTES)
        table.append(rows(100_000))
        bid = table.read()["bid"]
        del table
    del db
    assert bid.sum() == rows(100_000)["bid"].sum()


def test_to_pandas(mixed):
    frame = mixed.read().to_pandas()
    assert frame["time"].dtype == pd.DatetimeTZDtype("ns", "UTC") and frame[
        "t"
    ].isna().tolist() == [False, True]
    assert frame["f4"].dtype == "float32" and np.isnan(frame["f8"][1])
    assert (
        frame["i1"].dtype == "Int8"
        and frame["u8"].dtype == "UInt64"
        and frame["u8"][0] == 2**64 - 1
    )
    assert frame["s"][0] == "é" and pd.isna(frame["s"][1])
    whole = mixed.read(stop="2026-01-06").to_pandas()
    assert whole["i1"].dtype == "int8" and whole["u8"].dtype == "uint64"
    indexed = mixed.read().to_pandas(index="time")
    assert indexed.index.name == "time" and indexed.index.tz is not None and "time" not in indexed
    with pytest.raises(oto.NotFound, match="tiem"):
        mixed.read().to_pandas(index="tiem")


def test_pandas_there_and_back(db, quotes):
    quotes.append(rows(10))
    copy = db.create_table("copy", QUOTES, keys=["symbol"])
    copy.append(quotes.read().to_pandas(index="time"))
    assert copy.read().to_pylist() == quotes.read().to_pylist()


def test_to_pylist(mixed):
    first, second = mixed.read().to_pylist()
    assert (
        first["time"] == dt.datetime(2026, 1, 5, tzinfo=dt.timezone.utc)
        and first["u8"] == 2**64 - 1
    )
    assert second["t"] is None and second["s"] is None and second["f8"] is None
    ns = mixed.read(columns=["t"]).to_pylist(times="ns")
    assert ns == [{"t": 1000}, {"t": None}]


def test_to_pylist_does_not_lose_nanoseconds(mixed):
    mixed.append({"time": "2026-01-07T00:00:00.000000001"})
    with pytest.raises(oto.InvalidArgument, match="row 0 .*times='ns'"):
        mixed.read(start="2026-01-07").to_pylist()
    with pytest.raises(oto.InvalidArgument, match="times='days'"):
        mixed.read().to_pylist(times="days")


def test_to_numpy_is_a_dict(mixed):
    d = mixed.read(columns=["s", "i1"])
    assert list(d.to_numpy()) == ["s", "i1"] == list(d) and "s" in d and "x" not in d


def test_arrow_streams_share_types_nulls_and_pieces(mixed):
    mixed.append({"time": "2026-01-07", "s": "later"})
    table = pa.table(mixed.read())
    assert [str(field.type) for field in table.schema] == [
        "timestamp[ns, tz=UTC]", "float", "double", "int8", "int64", "uint64", "large_string",
        "timestamp[ns, tz=UTC]",
    ]  # fmt: skip
    assert [field.nullable for field in table.schema] == [False] + [True] * 7
    table.validate(full=True)
    assert table["s"].to_pylist() == ["é", None, "later"]
    assert table["u8"].to_pylist() == [2**64 - 1, None, None]
    frame = pl.DataFrame(mixed.read())
    assert frame["i8"].to_list() == [-(2**63), None, None] and frame["s"][2] == "later"


def test_arrow_streams_outlive_the_result(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int64", "s": "string"})
    n = np.arange(200_000)
    table.append({"time": n, "n": n, "s": np.full(len(n), "text", object)})
    arrow = pa.table(table.read())
    db.close()
    assert arrow["n"].to_numpy().tolist() == n.tolist() and set(arrow["s"].to_pylist()) == {"text"}
    assert (
        pa.table(oto.open(":memory:").create_table("e", {"time": "timestamp"}).read()).num_rows == 0
    )


def test_batches_are_the_rows_in_pieces(db):
    table = db.create_table(
        "t", {"time": "timestamp", "n": "int64", "s": "string"}, partition="hour"
    )
    n = 200_000
    table.append({"time": np.arange(n) * 10**9, "n": np.arange(n), "s": ["a", "b"] * (n // 2)})
    d = table.read(order="stored")
    pieces = d.batches()
    assert len(pieces) > 1 and sum(map(len, pieces)) == n
    assert np.concatenate([piece["n"] for piece in pieces]).tolist() == d["n"].tolist()
    assert pieces[0].schema.names == ["time", "n", "s"]


def test_an_empty_result_has_typed_columns(quotes):
    d = quotes.read()
    assert (
        len(d) == 0
        and d["bid"].dtype == "f8"
        and d["symbol"].dtype == object
        and d["time"].dtype == "M8[ns]"
    )
    assert (
        d.to_pylist() == []
        and len(d.to_pandas()) == 0
        and list(d.to_pandas().columns) == list(QUOTES)
    )
    assert repr(d).splitlines()[0] == "0 rows × 5 columns"


def test_a_preview_shows_types_and_both_ends(quotes):
    quotes.append(rows(1000))
    text = repr(quotes.read())
    lines = text.splitlines()
    assert lines[0] == "1,000 rows × 5 columns" and len(lines) == 14 and lines[8].startswith("…")
    assert lines[2].split() == ["timestamp", "string", "float64", "float64", "int32"]
    assert lines[3].split() == ["2026-01-05T00:00:00Z", "AAPL", "0.0", "0.5", "0"]
    assert lines[-1].split() == ["2026-01-05T00:16:39Z", "AAPL", "249.75", "250.25", "999"]


def test_a_preview_escapes_and_shortens_text(db):
    table = db.create_table("t", {"time": "timestamp", "s": "string"})
    table.append({"time": [1, 2, 3], "s": ["<b>&", "a\nb\x1b[31m", "x" * 1000]})
    d = table.read()
    assert "a\\nb\\x1b[31m" in repr(d) and "x" * 50 not in repr(d) and "…" in repr(d)
    html = d._repr_html_()
    assert "&lt;b&gt;&amp;" in html and "<b>" not in html and "string" in html


def test_a_wide_preview_leaves_columns_out(db):
    names = [f"c{i}" for i in range(100)]
    table = db.create_table("wide", {"time": "timestamp", **dict.fromkeys(names, "int8")})
    table.append({"time": 0})
    text = repr(table.read())
    assert "c99" in text and "c50" not in text and max(map(len, text.splitlines())) < 200


def test_duckdb_takes_a_result_as_it_is(mixed):
    d = mixed.read()
    assert duckdb.sql("select count(*), min(i8), max(u8), max(s) from d").fetchall() == [
        (2, -(2**63), 2**64 - 1, "é")
    ]
    assert duckdb.sql("select epoch_ns(time) from d where s is null").fetchall() == [
        (int(d["time"][1].astype("i8")),)
    ]
    there = duckdb.sql("from d").to_arrow_table()
    assert there["i8"].to_pylist() == [-(2**63), None] and len(there) == 2


def test_a_preview_reads_the_outer_pieces_only(db):
    """As many pieces as rows: to go through them all takes about a second."""
    table = db.create_table("t", {"time": "timestamp", "n": "int32"}, partition="hour")
    n = np.arange(100_000)
    table.append({"time": n * 3_600_000_000_000, "n": n})
    d = table.read()
    assert len(d.batches()) == len(d)
    began = time.perf_counter()
    lines = repr(d).splitlines()
    took = time.perf_counter() - began
    assert [line.split()[-1] for line in lines[3:]] == [
        *"01234", "…", "99995", "99996", "99997", "99998", "99999"
    ]  # fmt: skip
    assert took < 0.1
    assert "99995" in d._repr_html_()


def test_pieces_come_from_both_ends(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"}, partition="hour")
    for size in (0, 1, 9, 10, 11, 12):
        d = table.read()
        assert [p["n"].tolist() for p in d.pieces(reverse=True)] == [
            p["n"].tolist() for p in reversed(d.batches())
        ]
        cells = [line.split()[-1] for line in repr(d).splitlines()[3:]]
        n = [str(value) for value in d["n"]]
        assert cells == (n if len(n) <= 10 else [*n[:5], "…", *n[-5:]])
        if size < 12:
            table.append({"time": (len(d) + np.arange(size // 3 + 1)) * 1_700_000_000_000,
                          "n": len(d) + np.arange(size // 3 + 1)})  # fmt: skip


def test_a_frame_to_write_to_is_a_copy(path):
    with oto.open(path) as db:
        table = db.create_table("t", QUOTES, codec="raw")
        table.append(rows(50_000))
        d = table.read()
        frame = d.to_pandas(copy=True)
        frame.loc[0, "bid"] = 7.0
        assert frame["bid"][0] == 7.0 and d["bid"][0] == 0.0
        assert d.to_pandas(index="time", copy=True).shape == (50_000, 4)


def test_a_result_without_columns_keeps_its_rows(mixed):
    d = mixed.read(columns=[])
    assert len(d) == 2 and d.columns == []
    assert len(d.to_pandas()) == 2 and d.to_pylist() == [{}, {}]
    assert d.to_numpy() == {} and repr(d) == "2 rows × 0 columns"


def test_texts_of_many_pieces_are_each_their_own_and_repeated_ones_share_a_str(db):
    rows = 150_000
    table = db.create_table("texts", {"time": "timestamp", "few": "string", "many": "string"})
    few = [None if i % 11 == 0 else f"few{i % 40}" for i in range(rows)]
    many = [f"many{i}" for i in range(rows)]
    table.append({"time": np.arange(rows), "few": few, "many": many})
    read = table.read()
    assert len(read.batches()) > 2
    assert read["few"].tolist() == few
    assert read["many"].tolist() == many
    assert len({id(text) for text in read["few"]}) == 41
    assert not read["few"].flags.writeable
