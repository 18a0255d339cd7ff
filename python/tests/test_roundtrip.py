"""What is appended is what is read: every type, nulls, extremes, any order, any split into
commits.
"""

import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import otolith as oto

INTEGERS = {
    name: np.iinfo(name)
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}
VALUES = {
    **{name: st.integers(int(i.min), int(i.max)) for name, i in INTEGERS.items()},
    "float32": st.floats(width=32),
    "float64": st.floats(),
    "timestamp": st.integers(-(2**63) + 1, 2**63 - 1),
    "string": st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.text(alphabet=string.ascii_uppercase, min_size=1, max_size=3),
}
TIMES = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(0, 10**12)


def same(a, b):
    return a == b or (a != a and b != b)


@st.composite
def columns(draw):
    dtype = draw(st.sampled_from(sorted(VALUES)))
    rows = draw(st.lists(st.tuples(TIMES, st.none() | VALUES[dtype]), max_size=30))
    return dtype, rows


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    columns(),
    st.sampled_from(["hour", "day", "month", "year", None]),
    st.integers(1, 4),
    st.booleans(),
)
def test_every_type_comes_back(column, partition, commits, as_rows):
    dtype, rows = column
    with oto.open(":memory:") as db:
        table = db.create_table("t", {"time": "timestamp", "v": dtype}, partition=partition)
        for part in range(commits):
            chunk = rows[part::commits]
            if as_rows:
                table.append([{"time": t, "v": v} for t, v in chunk])
            else:
                table.append({"time": [t for t, _ in chunk], "v": [v for _, v in chunk]})
        appended = [row for part in range(commits) for row in rows[part::commits]]
        expected = sorted(appended, key=lambda row: row[0])  # stable: equal times keep stored order
        found = table.read().to_pylist(times="ns")
        assert len(found) == len(expected) == len(table)
        for row, (time, value) in zip(found, expected):
            assert row["time"] == time and same(row["v"], value)
        backward = table.read(reverse=True).to_pylist(times="ns")
        assert [row["time"] for row in backward] == [row["time"] for row in reversed(found)]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**15), st.sampled_from(["a", "b", "", "é"]), st.integers(-128, 127)
        ),
        max_size=60,
    ),
    st.integers(0, 10**15), st.integers(0, 10**15),
    st.sets(st.sampled_from(["a", "b", "", "é", "zz"])),
)  # fmt: skip
def test_ranges_and_keys_select_what_a_list_would(rows, start, stop, keys):
    with oto.open(":memory:") as db:
        table = db.create_table("t", {"time": "timestamp", "k": "string", "n": "int8"}, keys=["k"])
        table.append([{"time": t, "k": k, "n": n} for t, k, n in rows])
        chosen = [row for row in rows if start <= row[0] < stop and row[1] in keys]
        found = table.read(start, stop, keys={"k": keys}).to_pylist(times="ns")
        assert sorted((r["time"], r["k"], r["n"]) for r in found) == sorted(chosen)
        assert [r["time"] for r in found] == sorted(r["time"] for r in found)


@pytest.mark.parametrize(
    "source", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", ">i4", ">f8"]
)
@pytest.mark.parametrize("target", [*INTEGERS, "float32", "float64"])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_numbers_are_cast_exactly_or_not_at_all(source, target, data):
    dtype = np.dtype(source)
    if dtype.kind == "f":
        values = st.floats(width=8 * dtype.itemsize) | st.integers(-300, 300).map(float)
    else:
        info = np.iinfo(dtype)
        values = st.integers(int(info.min), int(info.max)) | st.integers(max(int(info.min), -9), 9)
    array = np.array(data.draw(st.lists(values, min_size=1, max_size=5)), dtype)
    exact = [exactly(value, target) for value in array.tolist()]
    with oto.open(":memory:") as db:
        table = db.create_table("t", {"time": "timestamp", "v": target})
        rows = {"time": np.arange(len(array)), "v": array}
        if all(exact):
            table.append(rows)
            assert all(map(same, table.read()["v"].tolist(), array.tolist()))
        else:
            with pytest.raises(
                oto.InvalidArgument, match=f'column "v": row {exact.index(False)} is'
            ):
                table.append(rows)
            assert len(table) == 0


def exactly(value, target):
    """Python's exact comparison decides whether a value survives."""
    if target in INTEGERS:
        if value != value or value in (float("inf"), float("-inf")):
            return False
        return value == int(value) and int(INTEGERS[target].min) <= value <= int(
            INTEGERS[target].max
        )
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return True
    with np.errstate(over="ignore"):
        return np.dtype(target).type(value).item() == value
