"""Arrow data in: pyarrow and Polars, sliced, chunked, with every layout of text, nulls kept."""

import datetime as dt

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto
from otolith import _core
from conftest import QUOTES, rows

TYPES = {"time": "timestamp", "n": "int64", "x": "float64", "s": "string", "t": "timestamp"}
TABLE = pa.table(
    {
        "time": pa.array(range(1, 8), pa.timestamp("us", "UTC")),
        "n": pa.array([1, None, 3, 4, None, 6, 7]),
        "x": pa.array([1.5, float("nan"), None, 4.5, 5.5, None, 7.5]),
        "s": pa.array(["a", "", None, "much longer than twelve bytes", "é", "f", None]),
        "t": pa.array([None, 2, 3, 4, 5, 6, None], pa.timestamp("ns")),
    }
)
FORMS = {
    "table": TABLE,
    "chunks": pa.concat_tables([TABLE.slice(0, 3), TABLE.slice(3, 0), TABLE.slice(3)]),
    "batch": TABLE.to_batches()[0],
    "large text": TABLE.set_column(3, "s", TABLE["s"].cast(pa.large_string())),
    "text views": TABLE.set_column(3, "s", TABLE["s"].cast(pa.string_view())),
    "dictionary": TABLE.set_column(3, "s", TABLE["s"].dictionary_encode()),
    "polars": pl.from_arrow(TABLE),
    "polars categories": pl.from_arrow(TABLE).cast({"s": pl.Categorical}),
    "arrays in a dict": {name: TABLE[name] for name in TYPES},
    "series in a dict": {name: pl.from_arrow(TABLE)[name] for name in TYPES},
    "lone arrays in a dict": {name: TABLE[name].combine_chunks() for name in TYPES},
}


@pytest.fixture
def table(db):
    return db.create_table("t", TYPES)


def listed(arrow):
    """Rows with times as ns, NaN as text so that it equals itself."""
    columns = {
        "time": [1000 * us for us in range(1, 8)],
        **{name: arrow[name].to_pylist() for name in ("n", "x", "s")},
        "t": TABLE["t"].cast(pa.int64()).to_pylist(),
    }
    return [tuple("NaN" if v != v else v for v in row) for row in zip(*columns.values())]


def read(table):
    rows = table.read().to_pylist(times="ns")
    return [tuple("NaN" if v != v else v for v in row.values()) for row in rows]


@pytest.mark.parametrize("form", FORMS)
def test_arrow_data_are_appended_with_their_nulls(table, form):
    assert table.append(FORMS[form]).changes == {"t": (7, 0)}
    assert read(table) == listed(TABLE)


@pytest.mark.parametrize("form", [form for form in FORMS if "dict" not in form.split()])
@pytest.mark.parametrize("first", [1, 2, 5])
def test_slices_begin_within_the_buffers(table, form, first):
    data = FORMS[form]
    sliced = data[first:] if isinstance(data, pl.DataFrame) else data.slice(first)
    table.append(sliced)
    assert read(table) == listed(TABLE)[first:]


def test_nan_is_null_where_that_is_wanted(table):
    table.append(TABLE, nan="null")
    assert table.read()["x"].tolist() == [1.5, None, None, 4.5, 5.5, None, 7.5]


def test_an_empty_stream_is_no_commit(db, table):
    head = db.head
    for empty in (TABLE.slice(0, 0), pl.from_arrow(TABLE).head(0), TABLE.schema.empty_table()):
        assert table.append(empty).changes == {}
    assert db.head == head


def test_dates_and_coarse_times_become_ns(db):
    table = db.create_table("t", {"time": "timestamp", "d": "timestamp"})
    days = pa.array([dt.date(2026, 1, 5)])
    table.append({"time": pa.array([1], pa.timestamp("s")), "d": days})
    table.append(pa.table({"time": days.cast(pa.date64()), "d": days.cast(pa.timestamp("ms"))}))
    assert table.read()["d"].tolist() == [1_767_571_200_000_000_000] * 2


def test_a_zone_is_kept_and_a_naive_time_is_in_the_zone_given(db):
    table = db.create_table("t", {"time": "timestamp"})
    noon = pa.array([dt.datetime(2026, 1, 5, 12)])
    table.append({"time": noon}, timezone="Europe/Paris")
    table.append({"time": noon.cast(pa.timestamp("us", "Asia/Tokyo"))}, timezone="Europe/Paris")
    assert [str(time)[11:16] for time in table.read()["time"]] == ["11:00", "12:00"]


def test_untyped_nulls_fit_any_nullable_column(db):
    table = db.create_table("t", {"time": "timestamp", "n": "int8", "s": "string"})
    table.append(pa.table({"time": [0], "n": pa.nulls(1), "s": pa.nulls(1)}))
    assert table.read().to_pylist(times="ns") == [{"time": 0, "n": None, "s": None}]


def test_results_go_through_arrow_and_back(quotes, db):
    quotes.append(rows(100))
    copy = db.create_table("copy", QUOTES, keys=["symbol"])
    copy.append(pl.DataFrame(quotes.read()))
    assert copy.read().to_pylist() == quotes.read().to_pylist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([[1.5]]), 'column "x": the Arrow type list cannot be appended'),
        (pa.array([True]), 'column "x" is float64; bool values do not become that'),
        (pa.array(["a"]), 'column "x" is float64; string values'),
        (pa.array([2**53 + 1]), 'column "x": row 0 is 9007199254740993'),
        (TABLE, 'column "x": it is Arrow data of 5 columns'),
    ],
    ids=["list", "bool", "text", "lossy", "table"],
)
def test_arrow_data_that_do_not_fit_are_refused(db, values, message):
    table = db.create_table("t", {"time": "timestamp", "x": "float64"})
    with pytest.raises(oto.InvalidArgument, match=message):
        table.append({"time": np.array([0]), "x": values})
    assert len(table) == 0


def test_arrow_rows_that_are_null_as_a_whole_are_refused(db):
    rows = pa.StructArray.from_arrays(
        [pa.array([1, 2, 3]), pa.array([10, 20, 30])],
        names=["time", "x"],
        mask=pa.array([False, False, True]),
    )
    table = db.create_table("t", {"time": "timestamp", "x": "int64"})
    with pytest.raises(oto.InvalidArgument, match="row 2 of the Arrow data is null as a whole"):
        table.append(rows)
    with pytest.raises(oto.InvalidArgument, match="row 1 of the Arrow data"):
        table.append(rows.slice(1))
    with pytest.raises(oto.InvalidArgument, match="row 4 of the Arrow data"):
        table.append(pa.chunked_array([rows.slice(0, 2), rows]))
    assert table.append(rows.slice(0, 2)).changes == {"t": (2, 0)}


def test_a_dictionary_index_out_of_range_is_refused(db):
    table = db.create_table("t", {"time": "timestamp", "x": "string"})
    for codes in ([0, 7], [0, -1]):
        words = pa.DictionaryArray.from_arrays(
            pa.array([0, *codes], pa.int32()), pa.array(["a", "b"]), safe=False
        )
        with pytest.raises(oto.InvalidArgument, match=f'"x".*row 1 .*{codes[1]}.* 2 '):
            table.append({"time": np.arange(2), "x": words.slice(1)})
    assert len(table) == 0


def test_arrow_text_that_is_no_utf8_is_refused_everywhere(db):
    bad = pa.Array.from_buffers(
        pa.string(),
        1,
        [None, pa.py_buffer(np.array([0, 4], np.int32)), pa.py_buffer(b"caf\xe9")],
    )
    table = db.create_table("t", {"time": "timestamp", "s": "string"}, keys=["s"])
    for act in (
        lambda: table.append({"time": [0], "s": bad}),
        lambda: table.append({"time": [0], "s": bad}, nan="null"),
        lambda: table.append({"time": bad, "s": ["a"]}),
        lambda: table.append({"time": bad, "s": ["a"]}, timezone="Europe/Paris"),
        lambda: table.read(keys={"s": bad}),
    ):
        with pytest.raises(oto.InvalidArgument):
            act()
    assert len(table) == 0


def test_stored_text_that_is_no_utf8_is_corrupt():
    """As the compiled module has it: the array of objects stays free to be used."""
    bad = pa.Array.from_buffers(
        pa.large_string(),
        1,
        [None, pa.py_buffer(np.array([0, 4])), pa.py_buffer(b"caf\xe9")],
    )
    ((_, _, array),) = _core.import_arrow_array(*bad.__arrow_c_array__())
    objects = np.empty(1, object)
    with pytest.raises(oto.Corrupt, match=r"no UTF-8: .caf\\xe9"):
        array.fill_texts(objects)
    objects.resize(2)  # refused while a buffer of it is held
