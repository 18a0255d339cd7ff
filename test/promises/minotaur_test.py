"""What Minotaur promised: series of symbols behind a recorder and a cursor, merged as they come."""

import threading

import numpy as np
import pytest

import otolith as oto

SCHEMA = {"time": oto.timestamp, "symbol": oto.string, "price": oto.float64}


@pytest.fixture
def db(tmp_path):
    with oto.open(tmp_path / "market.oto", author="ana") as opened:
        opened.create_table("trades", SCHEMA, keys=["symbol"], duplicates="last")
        yield opened


def trades(symbol, minutes, price=1.0):
    first = np.datetime64("2026-01-05T09:00", "ns")
    times = first + np.asarray(minutes) * np.timedelta64(60, "s")
    return {"time": times, "symbol": [symbol] * len(times), "price": np.full(len(times), price)}


def test_what_is_staged_is_committed_or_discarded_as_a_whole(db):
    with db.recorder(message="morning") as recorder:
        recorder["trades"].append(trades("A", range(5)))
        recorder["trades"].append(trades("B", range(3)))
        assert len(recorder["trades"]) == 8 and len(db["trades"]) == 0
    assert recorder.result.changes == {"trades": (8, 0)}
    recorder = db.recorder()
    recorder["trades"].append(trades("A", range(100, 200)))
    recorder.discard()
    assert len(db["trades"]) == 8


def test_overlapping_data_is_merged_and_the_correction_counts(db):
    db["trades"].append(trades("A", range(0, 60)))
    db["trades"].append(trades("A", range(30, 90), price=2.0))
    db["trades"].append(trades("A", range(-10, 5), price=3.0))
    data = db["trades"].read(keys={"symbol": "A"})
    assert len(data) == 100 and (np.diff(data["time"]) > np.timedelta64(0)).all()
    assert data["price"].tolist() == [3.0] * 15 + [1.0] * 25 + [2.0] * 60


def test_the_row_as_of_a_moment_and_an_old_commit(db):
    first = db["trades"].append(trades("A", [0, 10, 20]))
    db["trades"].append(trades("A", [10], price=9.0))
    asked = "2026-01-05T09:15"
    assert db["trades"].asof(asked, keys={"symbol": "A"})["price"].tolist() == [9.0]
    then = db.at(first)["trades"].asof(asked, keys={"symbol": "A"})
    assert then["price"].tolist() == [1.0]


def test_a_reader_goes_on_as_of_its_beginning_while_a_writer_commits(db):
    db["trades"].append(trades("A", range(50_000)))
    stop, written = threading.Event(), []

    def write():
        while not stop.is_set():
            written.append(db["trades"].append(trades("B", [len(written)])))

    writer = threading.Thread(target=write)
    state = db.at("HEAD")
    writer.start()
    try:
        while len(written) < 20:
            assert len(state["trades"].read(limit=60_000)) == 50_000
        assert sum(map(len, state["trades"].read().batches())) == 50_000
    finally:
        stop.set()
        writer.join()
    assert len(db["trades"]) == 50_000 + len(written)


def test_columns_say_how_they_are_stored_and_carry_metadata_with_history(db):
    columns = {"time": oto.timestamp, "a": oto.float64, "b": oto.float64}
    metadata = {"source": "exchange"}
    table = db.create_table("mixed", columns, codec={"a": "raw", "b": "small"}, metadata=metadata)
    number = np.arange(100_000)
    table.append({"time": number, "a": number / 8, "b": number / 8})
    before = db.head
    table.alter(metadata={"source": "vendor"})
    assert table.schema.metadata == {"source": "vendor"}
    assert db.at(before)["mixed"].schema.metadata == {"source": "exchange"}
    data = table.read(order="stored")
    assert data.zero_copy == {"time": False, "a": True, "b": False}
    assert data["a"].tolist() == data["b"].tolist()
