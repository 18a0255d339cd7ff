"""Column types from text, Python, NumPy, Arrow, pandas and Polars."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto
from otolith.dtypes import dtype_of

NUMBERS = [
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_the_same_type_everywhere(name):
    expected = getattr(oto, name)
    arrow = getattr(pa, name)()
    for spec in [
        name,
        np.dtype(name),
        np.dtype(name).newbyteorder(">"),
        getattr(np, name),
        arrow,
        expected,
    ]:
        assert dtype_of(spec) == expected
    assert expected.numpy == np.dtype(name)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (int, oto.int64), (float, oto.float64), (str, oto.string), (bytes, oto.binary),
        (bool, oto.bool),
        (dt.datetime, oto.timestamp), (np.dtype("M8[s]"), oto.timestamp),
        (np.dtype("U5"), oto.string),
        (np.str_, oto.string), (pa.string(), oto.string), (pa.large_string(), oto.string),
        (pa.timestamp("us", "Europe/Paris"), oto.timestamp),
        (pa.decimal128(12, 2), oto.decimal(12, 2)),
        (pa.dictionary(pa.int32(), pa.string()), oto.string), (pa.bool_(), oto.bool),
        (pd.Int64Dtype(), oto.int64), (pd.StringDtype(), oto.string),
        (pd.DatetimeTZDtype(tz="UTC"), oto.timestamp),
        (pl.Float32, oto.float32), (pl.String, oto.string),
        (pl.Datetime("ns", "UTC"), oto.timestamp),
        (pl.Boolean, oto.bool), ("decimal(38,10)", oto.decimal(38, 10)), ("double", oto.float64),
    ],
    ids=repr,
)  # fmt: skip
def test_types_of_others_are_ours(spec, expected):
    assert dtype_of(spec) == expected


@pytest.mark.parametrize(
    "spec",
    [
        object,
        np.float16,
        np.complex128,
        "float",
        "text",
        "",
        None,
        7,
        np.dtype("O"),
        pa.list_(pa.int8()),
    ],
    ids=repr,
)
def test_an_unknown_type_is_refused(spec):
    with pytest.raises(oto.InvalidArgument, match="type"):
        dtype_of(spec)


def test_required_takes_what_create_table_takes():
    assert oto.required("int8") == oto.required(np.int8) == oto.required(oto.int8)
    assert not oto.required(oto.int8).nullable and oto.int8.nullable


def test_types_are_values():
    assert pickle.loads(pickle.dumps(oto.required(oto.int8))) == oto.required(oto.int8)
    assert len({oto.int8, oto.DType("int8"), oto.int16}) == 2
