"""Recorders used wrongly or by two hands are refused in words; rows one by one are rows as ever."""

import datetime as dt
import threading

import numpy as np
import pytest

import otolith as oto
from conftest import rows

ROW = {"time": "2026-01-05", "symbol": "A", "bid": 1.5}


def verbs(recorder):
    """Every verb that stages or ends, by name."""
    table = recorder["quotes"]
    return {
        "a row": lambda: table.append(ROW),
        "columns": lambda: table.append(rows(2)),
        "delete": lambda: table.delete("2026-01-05", "2026-01-06"),
        "replace": lambda: table.replace("2026-01-05", "2026-01-06", ROW),
        "commit": recorder.commit,
    }


@pytest.mark.parametrize("verb", ["a row", "columns", "delete", "replace", "commit"])
@pytest.mark.parametrize("end", ["commit", "discard", "close"])
def test_a_recorder_that_has_ended_says_so_and_what_to_do(db, quotes, end, verb):
    recorder = db.recorder()
    calls = verbs(recorder)
    calls["a row"]()
    if end == "close":
        db.close()
        message = "closed"
    else:
        getattr(recorder, end)()
        message = "committed or discarded; take a new one from the database"
    head = None if end == "close" else db.head
    for _ in range(2):
        with pytest.raises(oto.InvalidArgument, match=message):
            calls[verb]()
    if head is not None:
        with pytest.raises(oto.InvalidArgument, match=message):
            recorder["quotes"]
        assert db.head == head and len(quotes) == (end == "commit")


def test_a_recorder_in_use_by_another_thread_refuses_every_verb(db, quotes):
    told = []

    def meanwhile(done, total):
        def try_all():
            for name, call in calls.items():
                try:
                    call()
                except oto.InvalidArgument as error:
                    told.append(name if "in use by another thread; give each" in str(error) else "")

        thread = threading.Thread(target=try_all)
        thread.start()
        thread.join()

    recorder = db.recorder(progress=meanwhile)
    calls = verbs(recorder)
    recorder["quotes"].append(rows(3))
    recorder.commit()
    assert set(told) == set(calls) and len(quotes) == 3


def test_two_threads_at_one_recorder_lose_no_row_that_was_taken(db, quotes):
    recorder = db.recorder()
    table = recorder["quotes"]
    taken = []

    def write(symbol):
        for second in range(2000):
            what = {**ROW, "symbol": symbol} if second % 7 else rows(2, symbol=symbol)
            try:
                table.append(what)
                taken.append(1 if second % 7 else 2)
            except oto.InvalidArgument as error:
                assert "in use by another thread" in str(error)

    threads = [threading.Thread(target=write, args=(symbol,)) for symbol in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.commit()
    assert len(quotes) == sum(taken) and db.verify().ok


COLUMNS = {
    "time": "timestamp", "flag": "bool", "tiny": "int8", "count": "uint64", "narrow": "float32",
    "wide": "float64", "price": "decimal(6,2)", "at": "timestamp", "name": oto.required("string"),
    "raw": "binary",
}  # fmt: skip
BASE = {"time": 0, "name": "x"}
VALUES = [
    {}, {"flag": True}, {"flag": np.True_}, {"flag": 1}, {"flag": None}, {"tiny": 127},
    {"tiny": 128}, {"tiny": -128}, {"tiny": True}, {"tiny": 1.0}, {"tiny": 1.5}, {"tiny": "1"},
    {"tiny": np.int64(5)}, {"count": 2**64 - 1}, {"count": 2**64}, {"count": -1},
    {"count": 2**63}, {"narrow": 0.5}, {"narrow": 0.1}, {"narrow": float("nan")}, {"narrow": 1},
    {"narrow": 1e300}, {"wide": 0.1}, {"wide": float("inf")}, {"wide": 2**53}, {"wide": 2**53 + 1},
    {"wide": -3}, {"wide": np.float32(0.5)}, {"wide": False}, {"wide": "0.1"}, {"wide": None},
    {"price": "12.50"}, {"price": 3}, {"price": 12345}, {"price": 0.5}, {"at": 5}, {"at": None},
    {"at": "2026-01-05T10:00+02:00"}, {"at": "then"}, {"at": -(2**63)}, {"at": 2**63},
    {"at": dt.datetime(2026, 1, 5, 12)}, {"at": dt.date(2026, 1, 5)}, {"at": 1.5},
    {"at": dt.datetime(2026, 1, 5, tzinfo=dt.timezone.utc)}, {"at": np.datetime64("2026-01-05")},
    {"at": np.datetime64("NaT")}, {"name": "ü€"}, {"name": "\ud800"}, {"name": None},
    {"name": b"x"},
    {"name": np.str_("y")}, {"raw": b"\xff\0"}, {"raw": "text"}, {"raw": bytearray(b"z")},
    {"extra": 1}, {"time": None}, {"time": "2026-01-05"}, {7: 1},
]  # fmt: skip


@pytest.mark.parametrize("values", VALUES, ids=repr)
def test_a_row_alone_is_taken_or_refused_as_in_a_list(db, values):
    row = {**BASE, **values}
    for name in ("alone", "listed"):
        db.create_table(name, COLUMNS)
    outcomes = []
    for name, data in (("alone", row), ("listed", [row])):
        try:
            with db.recorder() as r:
                r[name].append({"time": 1, "name": "before"})
                r[name].append(data)
                r[name].append({"time": 2, "name": "behind"})
            outcomes.append(db[name].read(order="stored").to_pylist(times="ns"))
        except oto.Error as error:
            outcomes.append((type(error), str(error)))
    assert repr(outcomes[0]) == repr(outcomes[1])


def test_rows_alone_stand_between_the_batches_that_were_staged_around_them(db):
    t = db.create_table("t", {"time": "timestamp", "n": "int64"})
    with db.recorder() as r:
        for n in range(1000):
            r["t"].append({"time": 0, "n": n})
            if n % 100 == 50:
                r["t"].append({"time": [0, 0], "n": [n, n]})
            if n == 500:
                r["t"].delete(where=oto.col("n") < 300)
    expected = [n for n in range(1000) for _ in range(3 if n % 100 == 50 else 1)]
    assert t.read()["n"].tolist() == [n for n in expected if n >= 300]


def test_a_naive_time_of_a_row_is_in_the_zone_given(db):
    t = db.create_table("t", {"time": "timestamp"})
    with db.recorder() as r:
        r["t"].append({"time": "2026-07-01T12:00"}, timezone="Europe/Paris")
        r["t"].append({"time": dt.datetime(2026, 7, 1, 12)}, timezone="Europe/Paris")
        with pytest.raises(oto.InvalidArgument, match="does not exist"):
            r["t"].append({"time": "2026-03-29T02:30"}, timezone="Europe/Paris")
    assert set(t.read()["time"].tolist()) == {1782900000000000000}


def test_reordered_columns_unsorted_and_repeated_times_and_nothing_are_no_errors(db, quotes):
    quotes.append(dict(reversed(rows(3).items())))
    back = rows(3)
    quotes.append({name: values[::-1] for name, values in back.items()})
    head = quotes.append({name: np.repeat(values[:1], 3) for name, values in back.items()})
    assert quotes.read()["size"].tolist() == [0, 0, 0, 0, 0, 1, 1, 2, 2]
    for nothing in (rows(0), [], {name: [] for name in quotes.schema.names}):
        c = quotes.append(nothing)
        assert c == head and c.changes == {} and db.head == head
        with db.recorder() as r:
            r["quotes"].append(nothing)
        assert r.result == head


def test_rows_keep_their_order_when_their_table_is_renamed_meanwhile(db):
    db.create_table("t", {"time": "timestamp", "v": "int8"}, duplicates="last")
    with db.recorder() as r:
        r["t"].append({"time": 1, "v": 1})
        db.rename("t", "a")
        r["a"].append({"time": 1, "v": 2})
    assert db["a"].read()["v"].tolist() == [2]
    with db.recorder() as r:
        r["a"].append({"time": 5, "v": 1})
        db.rename("a", "z")
        r["z"].delete(all=True)
        r["z"].append({"time": 6, "v": 3})
    assert db["z"].read()["v"].tolist() == [3]


def test_rows_that_a_commit_refuses_are_not_left_out_of_the_next(db):
    table = db.create_table("t", {"time": "timestamp", "v": "int8"})
    table.append({"time": 1, "v": 1})
    r = db.recorder()
    r["t"].append({"time": 2, "v": 2})
    table.alter(add={"w": "int8"})
    db.rename("t", "u")
    with pytest.raises(oto.Conflict, match="changed since rows were staged"):
        r["u"].delete(0, 5)
    with pytest.raises(oto.Conflict):
        r.commit()
    assert db["u"].read()["v"].tolist() == [1]
