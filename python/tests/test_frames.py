"""Frames of every kind go in and come out as they were; files come through them."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet
import pytest

import otolith as oto

TIMES = np.array(
    ["2026-01-05T09:00", "2026-03-29T01:30", "2026-07-01T00:00:00.000000001"], "M8[ns]"
)
COLUMNS = {
    "time": "timestamp", "s": "string", "x": "float64", "f": "float32", "n": "int32",
    "u": "uint64", "b": "bool", "d": "decimal(12,2)", "z": "binary", "at": "timestamp",
}  # fmt: skip
VALUES = {
    "time": TIMES.astype(np.int64).tolist(),
    "s": ["é", None, ""],
    "x": [0.1, None, -0.0],
    "f": [0.5, 1.5, None],
    "n": [-(2**31), None, 7],
    "u": [2**64 - 1, 0, None],
    "b": [True, None, False],
    "d": [decimal.Decimal("-12.50"), None, decimal.Decimal("0.01")],
    "z": [b"\x00\xff", None, b""],
    "at": [None, 1, -1],
}


def stored(db, frame, name="t", **options):
    table = db.create_table(name, COLUMNS)
    table.append(frame, **options)
    return table


def plain(table):
    """Its values as Python has them, by column."""
    rows = table.read().to_pylist(times="ns")
    return {name: [row[name] for row in rows] for name in COLUMNS}


def arrow_table(text="string", times="ns", zone="UTC"):
    kinds = {
        "time": pa.timestamp(times, zone), "s": pa.string() if text == "string" else text,
        "x": pa.float64(), "f": pa.float32(), "n": pa.int32(), "u": pa.uint64(), "b": pa.bool_(),
        "d": pa.decimal128(12, 2), "z": pa.binary(), "at": pa.timestamp("ns", zone),
    }  # fmt: skip
    return pa.table({name: pa.array(VALUES[name], kind) for name, kind in kinds.items()})


def pandas_frames():
    numpy_kinds = pd.DataFrame(
        {
            "time": TIMES,
            "s": pd.Series(VALUES["s"], dtype=object),
            "x": pd.Series(VALUES["x"], dtype="Float64"),
            "f": pd.Series(VALUES["f"], dtype="Float32"),
            "n": pd.Series(VALUES["n"], dtype="Int32"),
            "u": pd.Series(VALUES["u"], dtype="UInt64"),
            "b": pd.Series(VALUES["b"], dtype="boolean"),
            "d": pd.Series(VALUES["d"], dtype=object),
            "z": pd.Series(VALUES["z"], dtype=object),
            "at": pd.Series([pd.NaT, pd.Timestamp(1), pd.Timestamp(-1)]).astype("M8[ns]"),
        }
    )
    yield "nullable", numpy_kinds
    yield "text of Python", numpy_kinds.astype({"s": pd.StringDtype("python")})
    yield "text of Arrow", numpy_kinds.astype({"s": pd.StringDtype("pyarrow")})
    yield "text with NaN", numpy_kinds.astype({"s": pd.StringDtype("pyarrow", na_value=np.nan)})
    yield "categories", numpy_kinds.astype({"s": "category", "n": "category"})
    yield (
        "zones",
        numpy_kinds.assign(
            time=numpy_kinds["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris"),
            at=numpy_kinds["at"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
        ),
    )
    yield "index", numpy_kinds.set_index("time")
    yield (
        "index with a zone",
        numpy_kinds.set_index(
            pd.DatetimeIndex(TIMES, tz="UTC").tz_convert("America/New_York")
        ).drop(columns="time"),
    )
    yield "Arrow types", arrow_table().to_pandas(types_mapper=pd.ArrowDtype)


FRAMES = {
    **dict(pandas_frames()),
    "arrow": arrow_table(),
    "arrow large": arrow_table(pa.large_string()),
    "arrow view": arrow_table(pa.string_view()),
    "arrow dictionary": arrow_table(pa.dictionary(pa.int8(), pa.string())),
    "arrow without zone": arrow_table(zone=None),
    "arrow batch": arrow_table().to_batches()[0],
    "polars": pl.DataFrame(arrow_table()),
    "polars categories": pl.DataFrame(arrow_table()).with_columns(pl.col("s").cast(pl.Categorical)),
    "rows": [dict(zip(VALUES, row)) for row in zip(*VALUES.values())],
    "lists": VALUES,
    "masked arrays": {
        **VALUES,
        "x": np.ma.MaskedArray([0.1, 9, -0.0], [False, True, False]),
        "n": np.ma.MaskedArray(np.array([-(2**31), 9, 7], np.int32), [False, True, False]),
    },
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_every_kind_are_kept_as_they_are(db, kind):
    assert plain(stored(db, FRAMES[kind])) == VALUES


@pytest.mark.parametrize("leave", ["to_arrow", "to_polars", "to_pandas", "to_numpy", "itself"])
def test_what_comes_out_goes_in_again_unchanged(db, leave):
    table = stored(db, arrow_table())
    data = table.read()
    options = {"nan": "null"} if leave == "to_pandas" else {}  # whose floats have no other null
    again = stored(db, data if leave == "itself" else getattr(data, leave)(), "again", **options)
    assert plain(again) == VALUES
    assert plain(stored(db, table, "of a table")) == VALUES


def test_a_reader_is_gone_through_once(db):
    reader = pa.RecordBatchReader.from_batches(arrow_table().schema, arrow_table().to_batches(2))
    assert plain(stored(db, reader)) == VALUES


def test_arrow_and_polars_have_the_types_of_the_table(db):
    data = stored(db, arrow_table()).read()
    assert data.to_arrow().schema.field("time") == pa.field(
        "time", pa.timestamp("ns", "UTC"), nullable=False
    )
    types = {name: str(data.to_arrow().schema.field(name).type) for name in COLUMNS}
    assert types["s"] == "large_string" and types["d"] == "decimal128(12, 2)"
    assert types["z"] == "large_binary" and types["b"] == "bool" and types["u"] == "uint64"
    assert data.to_arrow().to_pylist()[0]["d"] == decimal.Decimal("-12.50")
    polars = data.to_polars().schema
    assert polars["time"] == pl.Datetime("ns", "UTC") and polars["d"] == pl.Decimal(12, 2)
    assert data.to_polars()["n"].to_list() == VALUES["n"]


def test_structured_arrays_come_back(db):
    kind = [("time", "M8[s]"), ("s", "U5"), ("x", "f8"), ("n", "i4"), ("b", "?")]
    rows = np.array([("2026-01-05", "a", 1.5, 1, True), ("2026-01-06", "é", -2, 2, False)], kind)
    table = db.create_table("t", {name: COLUMNS[name] for name, _ in kind})
    table.append(rows)
    d = table.read()
    for name, _ in kind:
        assert (
            d[name].tolist() == rows[name].astype("M8[ns]" if name == "time" else None).tolist()
            if name == "time"
            else d[name].tolist() == rows[name].tolist()
        )


def test_a_frame_without_times_names_what_is_missing(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int32"})
    numbers = pd.DataFrame({"n": [1, 2]})
    for index in (
        pd.RangeIndex(2),
        pd.Index(["a", "b"]),
        pd.MultiIndex.from_tuples([(1, 2), (3, 4)]),
    ):
        with pytest.raises(oto.InvalidArgument, match='(?s)"time".*DatetimeIndex'):
            table.append(numbers.set_axis(index))
    table.append(numbers.set_axis(pd.Index(["2026-01-05", "2026-01-06"], name="time")))
    assert len(table) == 2


def test_local_times_that_do_not_exist_are_refused_whatever_brings_them(db):
    table = db.create_table("t", {"time": "timestamp"})
    gap, twice = "2026-03-29T02:30", "2026-10-25T02:30"
    for local, what in ((gap, "does not exist"), (twice, "is ambiguous")):
        times = np.array([local], "M8[us]")
        for given in (
            {"time": [local]},
            {"time": times},
            pd.DataFrame({"time": times}),
            pd.DataFrame(index=pd.DatetimeIndex(times)),
            pl.DataFrame({"time": times}),
            pa.table({"time": times}),
            {"time": dt.datetime.fromisoformat(local)},
        ):
            with pytest.raises(oto.InvalidArgument, match=what):
                table.append(given, timezone="Europe/Paris")
    assert len(table) == 0


# ---- Files ---------------------------------------------------------------------------------------


def test_parquet_files_come_and_go(db, tmp_path):
    pa.parquet.write_table(arrow_table(), tmp_path / "in.parquet", row_group_size=2)
    table = stored(db, pa.parquet.read_table(tmp_path / "in.parquet"))
    again = stored(db, pl.read_parquet(tmp_path / "in.parquet"), "polars")
    batches = stored(db, pl.scan_parquet(tmp_path / "in.parquet").collect(), "lazy")
    assert plain(table) == plain(again) == plain(batches) == VALUES
    pa.parquet.write_table(table.read().to_arrow(), tmp_path / "out.parquet")
    assert pa.parquet.read_table(tmp_path / "out.parquet").equals(table.read().to_arrow())
    with db.recorder() as r:  # piece by piece, in one commit
        for batch in pa.parquet.ParquetFile(tmp_path / "in.parquet").iter_batches(1):
            r["t"].append(batch)
    assert len(table) == 6


def test_arrow_files_come_and_go(db, tmp_path):
    pa.feather.write_feather(arrow_table(), str(tmp_path / "in.arrow"))
    with pa.ipc.open_file(tmp_path / "in.arrow") as reader:
        table = stored(db, reader.read_all())
    assert plain(table) == VALUES
    with pa.ipc.new_stream(tmp_path / "out.arrows", table.read().to_arrow().schema) as writer:
        writer.write_table(table.read().to_arrow())
    with pa.ipc.open_stream(tmp_path / "out.arrows") as reader:
        assert plain(stored(db, reader, "again")) == VALUES


def test_csv_files_come_and_go(db, tmp_path):
    kept = ["time", "s", "x", "n", "b"]
    table = db.create_table("t", {name: COLUMNS[name] for name in kept})
    table.append(arrow_table().select(kept))
    table.read().to_polars().write_csv(tmp_path / "out.csv", null_value="-")
    read = pl.read_csv(tmp_path / "out.csv", null_values="-")
    table.replace(None, None, read)
    assert {n: [row[n] for row in table.read().to_pylist(times="ns")] for n in kept} == {
        n: VALUES[n] for n in kept
    }


def test_a_truncated_parquet_file_changes_nothing(db, tmp_path):
    table = stored(db, arrow_table())
    pa.parquet.write_table(arrow_table(), tmp_path / "in.parquet", row_group_size=1)
    whole = (tmp_path / "in.parquet").read_bytes()
    for cut in (0, 4, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.parquet").write_bytes(whole[:cut])
        with pytest.raises(pa.ArrowInvalid):
            table.append(pa.parquet.read_table(tmp_path / "cut.parquet"))
    damaged = bytearray(whole)
    damaged[len(whole) // 4] ^= 0xFF
    damaged[40] ^= 0xFF
    (tmp_path / "cut.parquet").write_bytes(damaged)
    scanner = pa.dataset.dataset(tmp_path / "cut.parquet").scanner()
    before = db.head
    try:
        table.append(scanner.to_reader())  # the damage is met within the stream
    except (oto.InvalidArgument, OSError) as error:
        assert str(error)
        assert db.head == before and plain(table) == VALUES


def test_a_stream_that_fails_names_what_its_maker_said(db):
    def batches():
        yield arrow_table().to_batches()[0]
        raise ValueError("the feed broke off")

    table = stored(db, arrow_table())
    before = db.head
    broken = pa.RecordBatchReader.from_batches(arrow_table().schema, batches())
    with pytest.raises(oto.InvalidArgument, match="the feed broke off"):
        table.append(broken)
    assert db.head == before
