"""`zero_copy` never guesses: True means the array's memory is a mapped segment file, False that it
is not.
"""

import numpy as np
import pandas as pd
import pytest

import otolith as oto

ROWS = 300_000
SCHEMA = {"time": "timestamp", "x": "float64", "n": "int32", "holes": "float64", "s": "string"}


def data(first=0):
    n = np.arange(first, first + ROWS)
    holes = np.ma.MaskedArray(n.astype("f8"), mask=n % 3 == 0)
    return {
        "time": n * 10**6,
        "x": n / 8,
        "n": n.astype("i4"),
        "holes": holes,
        "s": np.full(ROWS, "a", object),
    }


def mapped_from(array, folder):
    """True if all of the array's memory lies in mappings of segment files of the database."""
    first = array.__array_interface__["data"][0]
    last = first + array.nbytes
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            begin, end = (int(part, 16) for part in fields[0].split("-"))
            if begin <= first and last <= end:
                return len(fields) == 6 and fields[5].startswith(f"{folder}/segments/")
    return False


def check_honest(d, folder):
    """Every column's claim against the memory map."""
    for name, claimed in d.zero_copy.items():
        array = d[name]
        values = array.data if isinstance(array, np.ma.MaskedArray) else array
        mapped = array.dtype != object and mapped_from(np.asarray(values), folder)
        assert claimed == (mapped and not isinstance(array, np.ma.MaskedArray)), name
    return d.zero_copy


@pytest.fixture
def table(path):
    with oto.open(path) as db:
        table = db.create_table("t", SCHEMA, codec="raw")
        table.append(data())
        yield table


def test_a_whole_segment_without_keys_is_one_array(table, path):
    claims = check_honest(table.read(), path)
    assert claims == {"time": True, "x": True, "n": True, "holes": False, "s": False}
    assert table.read()["x"].sum() == data()["x"].sum()


def test_a_range_within_a_segment_is_a_view(table, path):
    d = table.read(start=1000 * 10**6, stop=200_000 * 10**6)
    assert len(d) == 199_000
    assert check_honest(d, path)["x"]
    assert d["n"][0] == 1000 and d["n"][-1] == 199_999


@pytest.mark.parametrize(
    "options", [{"limit": 10}, {"reverse": True}, {"order": "stored"}, {"columns": ["x"]}], ids=repr
)
def test_every_way_to_read_is_honest(table, path, options):
    check_honest(table.read(**options), path)


def test_two_segments_are_joined_by_a_copy_and_their_pieces_are_not(table, path):
    table.append(data(ROWS))
    d = table.read()
    assert not any(check_honest(d, path).values())
    assert len(d) == 2 * ROWS and d["x"].tolist() == (np.arange(2 * ROWS) / 8).tolist()
    for piece in d.batches():
        check_honest(piece, path)
    assert any(piece.zero_copy["x"] for piece in d.batches())


def test_rows_in_the_tail_are_no_mapping(path):
    with oto.open(path) as db:
        table = db.create_table("t", {"time": "timestamp", "x": "float64"})
        table.append({"time": [1, 2], "x": [1.5, 2.5]})
        assert not any(check_honest(table.read(), path).values())


def test_without_mmap_nothing_is_mapped(table, path):
    with oto.open(path, mmap=False) as db:
        d = db["t"].read()
        assert not any(check_honest(d, path).values())
        assert d["x"].sum() == data()["x"].sum()


def test_views_stay_valid_when_the_database_is_closed(path):
    with oto.open(path) as db:
        table = db.create_table("t", SCHEMA, codec="raw")
        table.append(data())
        x = table.read()["x"]
    del db, table
    assert mapped_from(x, path) and x[-1] == (ROWS - 1) / 8


def test_arrays_in_the_memory_of_a_database_are_zero_copy_too():
    with oto.open(":memory:") as db:
        table = db.create_table("t", {"time": "timestamp", "n": "int64"}, codec="raw")
        table.append({"time": np.arange(500_000), "n": np.arange(500_000)})
        d = table.read()
        assert d.zero_copy == {"time": True, "n": True}
        assert d["n"].base is not None and not d["n"].flags.writeable


@pytest.mark.parametrize("codec", ["hot", "small"])
def test_encoded_columns_are_equal_and_no_views(path, codec):
    with oto.open(path) as db:
        rows = data()
        raw = db.create_table("raw", SCHEMA, codec="raw")
        mixed = db.create_table("t", SCHEMA, codec={name: codec for name in ("time", "n", "holes")})
        small = db.create_table("u", SCHEMA, codec=codec)
        for table in (raw, mixed, small):
            table.append(rows)
            claims = check_honest(table.read(), path)
            assert claims["n"] == (table is raw)
        expected, *others = (table.read().to_pandas() for table in (raw, mixed, small))
        for frame in others:
            pd.testing.assert_frame_equal(frame, expected)
        assert (table.read().to_numpy()["holes"].mask == rows["holes"].mask).all()


def test_a_column_that_is_raw_stays_a_view_beside_encoded_ones(path):
    with oto.open(path) as db:
        table = db.create_table("t", SCHEMA, codec={"x": "raw"})
        table.append(data())
        claims = check_honest(table.read(), path)
        assert claims["x"] and not claims["n"] and not claims["time"]


def test_encoded_numbers_take_less_room(path):
    schema = {"time": "timestamp", "x": "float64", "n": "int32"}
    with oto.open(path) as db:
        for codec in ("raw", "hot", "small"):
            table = db.create_table(codec, schema, codec=codec)
            table.append({name: data()[name] for name in schema})
        sizes = {name: dataset.segment_bytes for name, dataset in db.status().datasets.items()}
    assert ROWS * 20 < sizes["raw"]
    assert sizes["small"] <= sizes["hot"] < sizes["raw"] / 5
