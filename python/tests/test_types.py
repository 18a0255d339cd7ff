"""Booleans, decimals and binary: in and out of Python, NumPy, pandas, Polars and Arrow; and every
type through segments, frames and Arrow.
"""

import datetime as dt
import decimal
import os
import random

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto

D = decimal.Decimal
SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
NINES = "9" * 38
SMALL = {
    "time": "timestamp", "flag": oto.bool, "price": oto.decimal(6, 2), "raw": oto.binary,
}  # fmt: skip


@pytest.fixture
def table(db):
    return db.create_table("t", SMALL)


def one(values, name, dtype, db):
    """What a column gives back of some values."""
    table = db.create_table(f"t{len(db.datasets())}", {"time": "timestamp", name: dtype})
    table.append({"time": np.arange(len(values)), name: values})
    return table.read()[name]


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True],
        [True, 0, np.bool_(1)],
        np.array([True, False, True]),
        np.array([1, 0, 1], np.uint8),
        np.array([True, True, False, True])[::-2] | np.array([False, True]),
        pd.Series([True, False, True]),
        pd.Series([True, False, True], dtype="boolean"),
        pd.Series([True, False, True], dtype=object),
        pl.Series([True, False, True]),
        pa.array([True, False, True]),
        pa.chunked_array([[True], [False, True]]),
        pa.array([1, 0, 1], pa.int32()),
        pa.array([False] * 5 + [True, False, True])[5:],
    ],
    ids=range(13),
)
def test_booleans_come_from_what_has_them(db, values):
    out = one(values, "flag", oto.bool, db)
    assert out.dtype == np.bool_ and not out.flags.writeable
    assert out.tolist() == [True, False, True][: len(out)] or out.tolist() == [True, True]


@pytest.mark.parametrize(
    "values",
    [
        [True, None, False],
        [True, pd.NA, False],
        np.ma.MaskedArray([True, True, False], mask=[False, True, False]),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([True, None, False], dtype=object),
        pl.Series([True, None, False]),
        pa.array([True, None, False]),
    ],
    ids=range(7),
)
def test_booleans_may_be_null(db, values):
    out = one(values, "flag", oto.bool, db)
    assert out.tolist() == [True, None, False]
    assert isinstance(out, np.ma.MaskedArray) and out.dtype == np.bool_


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([True, 2], 'column "flag": row 1 is int 2, which is no bool'),
        ([True, "yes"], "row 1 is str 'yes', which is no bool"),
        ([True, 1.0], "row 1 is float 1.0, which is no bool"),
        (np.array([1, 2]), 'column "flag": row 1 is 2, which cannot be kept without loss as bool'),
        (np.array([1.0, 0.0]), "float64 values do not become that"),
        (np.array([1, 7], np.uint8).view(np.bool_), 'column "flag": row 1 is 7'),
        (pa.array([1.0, 0.0]), "float64 values do not become that"),
    ],
    ids=range(7),
)
def test_what_is_no_boolean_is_refused(db, values, message):
    with pytest.raises(oto.InvalidArgument, match=message):
        one(values, "flag", oto.bool, db)


def test_truth_values_are_no_numbers(db):
    for values in ([True, False], np.array([True, False]), pa.array([True, False])):
        with pytest.raises(oto.InvalidArgument):
            one(values, "n", "int8", db)
        with pytest.raises(oto.InvalidArgument):
            one(values, "n", oto.decimal(6, 2), db)


@pytest.mark.parametrize(
    "values",
    [
        [D("12.5"), D("-3"), D("0.01")],
        [D("1.25e1"), -3, "0.0100"],
        np.array([D("12.50"), D("-3.00"), D("0.01")], object),
        pd.Series([D("12.5"), D("-3"), D("0.01")]),
        pl.Series([D("12.50"), D("-3.00"), D("0.01")]),
        pa.array([D("12.50"), D("-3.00"), D("0.01")], pa.decimal128(6, 2)),
        pa.array([D("12.5"), D("-3"), D("0.01")], pa.decimal128(38, 9)),
        pa.array(["12.5", "-3", "0.01"]),
        ["12.5", "-3", "0.01"],
    ],
    ids=range(9),
)
def test_decimals_come_from_what_has_them(db, values):
    out = one(values, "price", oto.decimal(6, 2), db)
    assert out.dtype == object and not out.flags.writeable
    assert list(map(str, out)) == ["12.50", "-3.00", "0.01"]


def test_integers_and_exact_floats_become_decimals(db):
    for values in ([7, -7], np.array([7, -7], ">i2"), np.array([7.0, -7.0]), [7.0, np.float32(-7)]):
        assert one(values, "price", oto.decimal(6, 2), db).tolist() == [D(7), D(-7)]
    assert one([0.25, 0.5], "price", oto.decimal(6, 2), db).tolist() == [D("0.25"), D("0.5")]
    assert one([10**37, -(10**37)], "x", oto.decimal(38), db).tolist() == [10**37, -(10**37)]


@pytest.mark.parametrize("digits", [NINES, "-" + NINES, "0", "1" + "0" * 37])
def test_decimals_of_38_digits_come_back(db, digits):
    assert one([D(digits)], "x", oto.decimal(38), db).tolist() == [D(digits)]
    shifted = D(digits).scaleb(-38, decimal.Context(prec=60))
    assert one([shifted if abs(shifted) < 1 else D(0)], "x", oto.decimal(38, 38), db)[0] in (
        shifted, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([D("1"), D("12.345")], r"row 1 is Decimal Decimal\('12.345'\), which cannot be kept"),
        ([D("10000")], 'column "price": row 0 .*cannot be kept without loss as decimal\\(6,2\\)'),
        ([10000], "row 0 is int 10000, which cannot be kept without loss as decimal"),
        (np.array([10000]), "row 0 is 10000, which cannot be kept without loss as decimal"),
        ([10**50], "cannot be kept without loss as decimal"),
        (np.array([0.1]), "row 0 is the float 0.1, which cannot be kept without loss"),
        ([0.1], "row 0 is float 0.1, which as a float, whose digits are binary, cannot be kept"),
        ([D("NaN")], "which is no decimal"),
        ([D("Infinity")], "which is no decimal"),
        (["12,5"], "which is no decimal"),
        ([b"1"], "which is no decimal"),
        ([dt.date(2026, 1, 1)], "which is no decimal"),
        (np.array([True]), "bool values do not become that"),
        (np.array([np.nan]), "is the float nan"),
        (pa.array([D("12.345")], pa.decimal128(10, 3)), "row 0 is 12.345"),
        (pa.array([D("1")], pa.decimal256(50, 3)), "decimal of other than 128 bits"),
        (pa.array([D("100")], pa.decimal128(5, -2)), "scale that is below 0"),
    ],
    ids=range(17),
)
def test_decimals_that_do_not_fit_are_refused(db, values, message):
    with pytest.raises(oto.InvalidArgument, match=message):
        one(values, "price", oto.decimal(6, 2), db)


def test_arrow_decimals_beyond_their_own_precision_are_refused(db):
    units = pa.py_buffer((10**6).to_bytes(16, "little"))
    lying = pa.Array.from_buffers(pa.decimal128(6, 2), 1, [None, units])
    with pytest.raises(oto.InvalidArgument, match='"price": row 0 is 10000.00, which has more'):
        one(lying, "price", oto.decimal(6, 2), db)


@pytest.mark.parametrize(
    "values",
    [
        [b"a\0", b"", b"\xff\xfe"],
        [bytearray(b"a\0"), memoryview(b""), b"\xff\xfe"],
        np.array([b"a\0", b"", b"\xff\xfe"], object),
        pd.Series([b"a\0", b"", b"\xff\xfe"]),
        pl.Series([b"a\0", b"", b"\xff\xfe"]),
        pa.array([b"a\0", b"", b"\xff\xfe"]),
        pa.array([b"a\0", b"", b"\xff\xfe"], pa.large_binary()),
        pa.array([b"a\0", b"", b"\xff\xfe"], pa.binary()).dictionary_encode(),
        pa.array([b"xx", b"a\0", b"", b"\xff\xfe"], pa.binary_view())[1:],
    ],
    ids=range(9),
)
def test_binary_comes_from_what_has_it(db, values):
    out = one(values, "raw", oto.binary, db)
    assert out.tolist() == [b"a\0", b"", b"\xff\xfe"] and not out.flags.writeable


def test_binary_of_one_width_and_nulls(db):
    fixed = pa.array([b"ab", None, b"\0\0"], pa.binary(2))
    assert one(fixed, "raw", oto.binary, db).tolist() == [b"ab", None, b"\0\0"]
    assert one([None, b"x", None], "raw", oto.binary, db).tolist() == [None, b"x", None]
    assert one(np.array([b"ab", b"c"]), "raw", oto.binary, db).tolist() == [b"ab", b"c"]


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        ([b"a", "text"], "binary", "row 1 is no bytes: str 'text'; encode it before"),
        ([1, 2], "binary", "row 0 is no bytes: int 1"),
        (np.array(["a"]), "binary", "do not become that|is no bytes"),
        (np.array([1.5]), "binary", "float64 values do not become that"),
        (pa.array(["a"]), "binary", "string values do not become that"),
        (pa.array([b"a"]), "string", "binary values do not become that"),
        ([b"a"], "string", "is no text: bytes"),
    ],
    ids=range(7),
)
def test_text_is_no_binary_and_binary_no_text(db, values, dtype, message):
    with pytest.raises(oto.InvalidArgument, match=message):
        one(values, "raw", dtype, db)


def test_text_from_arrow_that_is_no_utf8_is_refused(db):
    lying = pa.Array.from_buffers(
        pa.large_string(), 1, [None, pa.py_buffer(np.array([0, 1])), pa.py_buffer(b"\xff")]
    )
    with pytest.raises(oto.InvalidArgument, match='"x": row 0 is not valid UTF-8'):
        one(lying, "x", "string", db)


def test_half_floats_are_refused_by_name(db):
    with pytest.raises(oto.InvalidArgument, match='"x": the Arrow type float16 cannot be appended'):
        one(pa.array([np.float16(1)], pa.float16()), "x", "float32", db)


def test_what_is_refused_changes_nothing(table):
    with pytest.raises(oto.InvalidArgument):
        table.append({"time": [1, 2], "flag": [True] * 2, "price": [1, D("1e9")], "raw": [b""] * 2})
    assert len(table) == 0


def test_rows_print_and_become_dicts_and_frames(table):
    table.append(
        [
            {"time": 1, "flag": True, "price": D("12.5"), "raw": b"a"},
            {"time": 2, "flag": None},
        ]
    )
    d = table.read()
    assert "12.50" in repr(d) and "decimal(6,2)" in repr(d)
    rows = d.to_pylist(times="ns")
    assert rows[0] == {"time": 1, "flag": True, "price": D("12.50"), "raw": b"a"}
    assert rows[1] == {"time": 2, "flag": None, "price": None, "raw": None}
    frame = d.to_pandas()
    assert frame["flag"].dtype == "boolean" and frame["price"].tolist() == [D("12.50"), None]
    assert d.zero_copy == dict.fromkeys(SMALL, False)
    assert table.schema["price"].dtype == oto.decimal(6, 2)


def test_plain_booleans_are_views_and_encoded_ones_are_not(path):
    count = 200_000  # beyond what a frame carries
    flags = np.arange(count) % 3 == 0
    for codec, view in (("raw", True), ("hot", False)):
        with oto.open(path) as db:
            table = db.create_table(codec, {"time": "timestamp", "flag": "bool"}, codec=codec)
            table.append({"time": np.arange(count) * 17, "flag": flags})
            d = table.read()
            assert (d["flag"] == flags).all() and d.zero_copy["flag"] == view


@pytest.mark.parametrize("inlined", [True, False])
def test_keys_of_the_new_types_sort_and_select(db, inlined):
    count = 40 if inlined else 60_000
    numbers = np.arange(count)
    flags, prices = numbers % 2 == 0, [D(int(n) % 7 - 3) / 4 for n in numbers]
    raw = [bytes([255 - int(n) % 5]) * (int(n) % 3) for n in numbers]
    keys = ["flag", "price", "raw"]
    table = db.create_table("t", SMALL, keys=keys, partition=None)
    table.append({"time": numbers, "flag": flags, "price": prices, "raw": raw})
    stored = table.read(order="stored")
    rows = list(zip(*(stored[key].tolist() for key in keys)))
    assert rows == sorted(rows)
    wanted = {"flag": True, "price": [D("0.5"), D("-0.750"), D("0.001")], "raw": [b"", b"\xff\xff"]}
    got = table.read(keys=wanted)["time"].astype(np.int64).tolist()
    expected = [
        n for n in range(count)
        if flags[n] and prices[n] in (D("0.5"), D("-0.75")) and raw[n] in (b"", b"\xff\xff")
    ]  # fmt: skip
    assert got == expected and expected
    assert len(table.read(keys={"price": 0})) == prices.count(0)
    for bad in ({"raw": "text"}, {"flag": "yes"}, {"price": "none"}, {"price": b"1"}):
        with pytest.raises(oto.InvalidArgument, match=next(iter(bad))):
            table.read(keys=bad)


ALL = {
    "flag": oto.bool, "i8": oto.int8, "i16": oto.int16, "i32": oto.int32, "i64": oto.int64,
    "u8": oto.uint8, "u16": oto.uint16, "u32": oto.uint32, "u64": oto.uint64,
    "f32": oto.float32, "f64": oto.float64, "cents": oto.decimal(9, 2),
    "long": oto.decimal(38, 10), "stamp": oto.timestamp, "text": oto.string, "raw": oto.binary,
}  # fmt: skip


def value_of(dtype, rng):
    if rng.random() < 0.2:
        return None
    extreme = rng.random() < 0.3
    name = dtype.name
    if name == "bool":
        return rng.random() < 0.5
    if "int" in name:
        info = np.iinfo(name)
        return rng.choice([int(info.min), int(info.max)]) if extreme else rng.randrange(100)
    if name.startswith("float"):
        odd = [float("nan"), -0.0, float("inf"), -float("inf"), 1.5, 0.25]
        return rng.choice(odd)
    if dtype.kind == "decimal":
        digits, scale = map(int, name[8:-1].split(","))
        units = 10**digits - 1 if extreme else rng.randrange(1000)
        context = decimal.Context(prec=50)
        return D(rng.choice([1, -1]) * units).scaleb(-scale, context)
    if name == "timestamp":
        return dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(rng.randrange(99))
    if name == "string":
        return rng.choice(["", "a", "ö€🐟", "x" * 40])
    return rng.randbytes(rng.randrange(4))


def same(a, b):
    return a == b and str(a) == str(b) or (a != a and b != b)  # -0.0 is not 0.0; NaN is itself


@pytest.mark.parametrize("codec", ["hot", "small", "raw"])
@pytest.mark.parametrize("count", [0, 1, 300, 20_000])
def test_every_type_goes_through_files_and_arrow_and_back(path, codec, count):
    rng = random.Random(SEED + count)
    schema = {"time": oto.timestamp, **ALL}
    columns = {name: [value_of(dtype, rng) for _ in range(count)] for name, dtype in ALL.items()}
    with oto.open(path) as db:
        db.create_table("t", schema, codec=codec).append({"time": np.arange(count), **columns})
    with oto.open(path) as db:
        d = db["t"].read()
        copies = [d, pa.table(d), pl.DataFrame(d)]
        for i, data in enumerate(copies):
            copy = db.create_table(f"copy{i}", schema)
            copy.append(data)
            rows = copy.read().to_pylist(times="datetime" if count == 0 else "ns")
            assert len(rows) == count
            for row, got in enumerate(rows):
                for name, values in columns.items():
                    expected = values[row]
                    if name == "stamp" and expected is not None:
                        expected = int(expected.timestamp()) * 10**9
                    assert same(got[name], expected), (name, row, got[name], expected, SEED)
        assert db.verify().ok


def test_a_column_of_nulls_only_is_of_any_type(db):
    table = db.create_table("t", {"time": "timestamp", **ALL})
    table.append({"time": [1, 2, 3], **{name: [None] * 3 for name in ALL}})
    for name, value in table.read().to_pylist(times="ns")[1].items():
        assert value == (2 if name == "time" else None)
    arrow = pa.table(table.read())
    assert all(arrow[name].null_count == 3 for name in ALL)


def test_slices_of_arrow_data_keep_their_place(db):
    flags = pa.array([True, None, False, True, True] * 9)
    prices = pa.array([D("1.25"), None, D("-1.25"), D(0), D(7)] * 9, pa.decimal128(6, 2))
    raw = pa.array([b"a", None, b"", b"bc", b"\xff"] * 9)
    whole = pa.table({"time": pa.array(range(45)), "flag": flags, "price": prices, "raw": raw})
    for first, count in ((0, 45), (1, 1), (3, 20), (13, 32), (44, 1)):
        table = db.create_table(f"t{first}.{count}", SMALL)
        part = whole.slice(first, count)
        table.append(part)
        got = table.read().to_pylist(times="ns")
        assert got == part.to_pylist()
