"""Fixtures: a database in memory or in a folder, and names for the examples in docstrings."""

import numpy as np
import pytest

import otolith as oto

QUOTES = {
    "time": oto.timestamp,
    "symbol": oto.string,
    "bid": oto.float64,
    "ask": oto.float64,
    "size": oto.int32,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "market.oto"


@pytest.fixture(params=["memory", "folder"])
def db(request, path):
    with oto.open(":memory:" if request.param == "memory" else path, author="ana") as opened:
        yield opened


@pytest.fixture
def quotes(db):
    return db.create_table("quotes", QUOTES, keys=["symbol"])


def rows(count, start="2026-01-05", symbol="AAPL"):
    """Columns of `count` quotes, one a second."""
    first = np.datetime64(start, "ns")
    return {
        "time": first + np.arange(count) * np.timedelta64(1, "s"),
        "symbol": np.array([symbol] * count, object),
        "bid": np.arange(count, dtype=np.float64) / 4,
        "ask": np.arange(count, dtype=np.float64) / 4 + 0.5,
        "size": np.arange(count, dtype=np.int32),
    }
