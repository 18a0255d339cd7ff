"""Values on their way in are never changed in silence: each is kept as it is, or refused."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto

NOON = "2026-01-05T12:00"


def table_of(db, **columns):
    return db.create_table("t", {"time": "timestamp", **columns})


def kept(table, values, **options):
    """The column x after these values were appended."""
    table.append({"time": np.arange(len(values)), "x": values}, **options)
    return table.read()["x"].tolist()


@pytest.mark.parametrize("form", ["list", "objects", "rows"])
def test_numpy_integers_are_not_rounded_through_floats(db, form):
    values = [np.uint64(2**63 + 1), np.int64(1)]
    table = table_of(db, x="uint64")
    if form == "rows":
        table.append([{"time": i, "x": x} for i, x in enumerate(values)])
        assert table.read()["x"].tolist() == [2**63 + 1, 1]
    else:
        given = np.array(values, object) if form == "objects" else values
        assert kept(table, given) == [2**63 + 1, 1]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int64", [np.int64(2**62 + 1), np.float64(1)]),
        ("float64", [np.int64(2**53 + 1), 1.5]),
        ("int64", [np.uint64(2**63 + 1), np.int64(-1)]),
    ],
    ids=repr,
)
def test_numpy_integers_that_floats_would_round_are_refused(db, dtype, values):
    table = table_of(db, x=dtype)
    for given in (values, np.array(values, object)):
        with pytest.raises(oto.InvalidArgument, match='column "x": .*without loss'):
            kept(table, given)
    assert len(table) == 0


TEXT_TIMES = {
    "list": {"time": [NOON]},
    "arrow": pa.table({"time": [NOON]}),
    "arrow in a dict": {"time": pa.array([NOON])},
    "polars": pl.DataFrame({"time": [NOON]}),
    "pandas": pd.DataFrame({"time": [NOON]}),
}


@pytest.mark.parametrize("form", TEXT_TIMES)
def test_text_times_are_in_the_zone_given_whatever_brings_them(db, form):
    table = table_of(db)
    table.append(TEXT_TIMES[form], timezone="Europe/Paris")
    assert str(table.read()["time"][0])[11:16] == "11:00"


def test_text_times_that_were_read_are_in_the_zone_given_too(db):
    texts = db.create_table("texts", {"at": "timestamp", "time": "string"}, time="at")
    texts.append({"at": [0], "time": [NOON]})
    table = table_of(db)
    table.append({"time": pa.table(texts.read())["time"]}, timezone="Europe/Paris")
    table.append(texts.read(columns=["time"]), timezone="Europe/Paris")
    assert [str(time)[11:16] for time in table.read()["time"]] == ["11:00"] * 2


def test_aware_times_as_categories_stay_in_utc(db):
    table = table_of(db, x="timestamp")
    noon = pd.Series(pd.to_datetime([NOON + "Z", None]))
    frame = pd.DataFrame({"time": noon[:1].repeat(2).reset_index(drop=True), "x": noon})
    table.append(frame.astype("category"), timezone="Europe/Paris")
    d = table.read()
    assert [str(time)[11:16] for time in d["time"]] == ["12:00"] * 2
    assert d["x"].mask.tolist() == [False, True] and str(d["x"][0])[11:16] == "12:00"


def test_categories_that_are_null_are_null(db):
    values = pd.Series(pd.array([5, None], "Int64")).astype("category")
    assert kept(table_of(db, x="int64"), values) == [5, None]


def test_integer_categories_may_have_missing_values(db):
    table = table_of(db, x="int64")
    table.append(pd.DataFrame({"time": [1, 2], "x": pd.Categorical([5, None])}))
    assert table.read()["x"].tolist() == [5, None]


NAN_FORMS = {
    "one dict": {"time": 0, "x": float("nan")},
    "rows": [{"time": 0, "x": float("nan")}],
    "columns": {"time": [0], "x": [float("nan")]},
    "frame": pd.DataFrame({"time": [0], "x": [float("nan")]}),
    "arrow": pa.table({"time": [0], "x": [float("nan")]}),
}


@pytest.mark.parametrize("form", NAN_FORMS)
def test_nan_is_null_in_every_form_where_that_is_wanted(db, form):
    table = table_of(db, x="float64")
    table.append(NAN_FORMS[form])
    table.append(NAN_FORMS[form], nan="null")
    x = table.read()["x"]
    assert x.mask.tolist() == [False, True] and np.isnan(x[0])


def test_a_result_keeps_its_utc_times_where_nan_is_null(db):
    table = table_of(db, x="float64")
    table.append({"time": [NOON], "x": [float("nan")]})
    table.append(table.read(), nan="null", timezone="Europe/Paris")
    d = table.read()
    assert [str(time)[11:16] for time in d["time"]] == ["12:00"] * 2
    assert d["x"].mask.tolist() == [False, True]


def test_a_masked_value_is_null_wherever_it_stands(db):
    table = table_of(db, x="int64", f="float64", s="string", t="timestamp")
    table.append({"time": 0, **dict.fromkeys("xfst", np.ma.masked)})
    table.append([{"time": 1, **dict.fromkeys("xfst", np.ma.masked)}])
    columns = {name: [np.ma.masked] for name in "xfst"}
    table.append({"time": [2], **columns})
    table.append({"time": [3, 4], "x": [2**53 + 1, np.ma.masked], "f": [1.5, np.ma.masked],
                  "s": ["a", np.ma.masked], "t": [5, np.ma.masked]})  # fmt: skip
    for row in table.read(columns=[*"xfst"]).to_pylist(times="ns")[:3] + table.read(
        start=4
    ).to_pylist("ns"):
        assert [row[name] for name in "xfst"] == [None] * 4
    assert table.read(start=3, stop=4)["x"].tolist() == [2**53 + 1]


@pytest.mark.parametrize("dtype", ["int8", "float64"])
@pytest.mark.parametrize(
    "values",
    [[True, None], [True, 3], [True, 2.5], [np.True_, 1], np.array([True, None]), [1, False]],
    ids=repr,
)
def test_truth_values_are_no_numbers(db, dtype, values):
    table = table_of(db, x=dtype)
    with pytest.raises(oto.InvalidArgument, match=f'column "x": row . is bool_? .*, .* no {dtype}'):
        kept(table, values)
    assert len(table) == 0


MISSING = {
    "objects": pd.Series([1.5, float("nan"), None, pd.NA, pd.NaT], dtype=object),
    "categories": pd.Series(pd.Categorical([1.5, None, None, None, None])),
    "sparse": pd.Series(pd.arrays.SparseArray([1.5, np.nan, np.nan, np.nan, np.nan])),
    "nullable": pd.Series([1.5, None, None, None, None], dtype="Float64"),
}


@pytest.mark.parametrize(
    ("form", "nulls", "nans"),
    [("objects", 3, 1), ("categories", 4, 0), ("sparse", 0, 4), ("nullable", 4, 0)],
)
@pytest.mark.parametrize("in_frame", [True, False])
def test_nan_of_pandas_stays_nan_in_a_column_of_floats(db, form, nulls, nans, in_frame):
    table = db.create_table("f", {"time": "timestamp", "x": "float64"})
    data = {"time": np.arange(5), "x": MISSING[form]}
    table.append(pd.DataFrame(data) if in_frame else data)
    x = table.read()["x"]
    assert np.ma.count_masked(x) == nulls and np.isnan(np.ma.compressed(x)).sum() == nans
    assert x[0] == 1.5


def test_nan_among_text_of_pandas_is_null(db):
    table = db.create_table("s", {"time": "timestamp", "x": "string"})
    table.append(pd.DataFrame({"time": [0, 1], "x": pd.Series(["a", np.nan], dtype=object)}))
    assert table.read()["x"].tolist() == ["a", None]


@pytest.mark.parametrize("values", [[2**70, 1.5], [2**70, -(2**71), None], [2**64, np.float32(1)]])
def test_ints_beyond_64_bits_are_floats_where_that_is_exact(db, values):
    table = db.create_table("f", {"time": "timestamp", "x": "float64", "y": "float32"})
    table.append({"time": np.arange(len(values)), "x": values, "y": values})
    for name in ("x", "y"):
        assert np.ma.MaskedArray(table.read()[name]).tolist() == values
    with pytest.raises(oto.InvalidArgument, match="row 1 is 1180591620717411303425, which cannot"):
        table.append({"time": [0, 1], "x": [1, 2**70 + 1], "y": [0, 0]})
