"""Rows that share keys and time: all of them, one, or never two."""

import threading

import numpy as np
import pytest

import otolith as oto

COLUMNS = {"time": "timestamp", "symbol": "string", "n": "int32"}
NINE = "2026-01-05T09:00"


def row(n, time=NINE, symbol="A"):
    return {"time": time, "symbol": symbol, "n": n}


@pytest.fixture
def make(db):
    def table(policy):
        return db.create_table("t", COLUMNS, keys=["symbol"], duplicates=policy)

    return table


@pytest.mark.parametrize("policy, shown", [("keep", [1, 2, 3]), ("last", [3]), ("first", [1])])
def test_what_is_shown_of_rows_of_one_key_and_time(db, make, policy, shown):
    t = make(policy)
    t.append(row(1))
    t.append([row(2), row(3)])
    t.append(row(9, symbol="B"))
    for _ in range(2):
        assert t.read(keys={"symbol": "A"})["n"].tolist() == shown
        assert t.read(order="stored")["n"].tolist() == shown + [9]
        assert t.read(reverse=True)["n"].tolist() == [9] + shown[::-1]
        assert t.read(where=oto.col("n") == 2)["n"].tolist() == ([2] if policy == "keep" else [])
        assert t.head(1)["n"].tolist() == shown[:1] and t.tail(1)["n"].tolist() == [9]
        assert len(t) == len(shown) + 1
        assert len(db.at("HEAD~1")["t"]) == len(shown)
        db.compact()
    assert t.schema.duplicates == policy and f"duplicates {policy}" in repr(t.schema)
    assert db.verify().ok


def test_a_deleted_row_gives_its_place_back_and_a_condition_asks_the_shown_row(db, make):
    t = make("last")
    t.append(row(1))
    newest = t.append(row(2))
    assert t.delete(where=oto.col("n") == 1).changes == {} and t.read()["n"].tolist() == [2]
    assert t.delete(where=oto.col("n") == 2).changes == {"t": (0, 2)} and len(t) == 0
    assert db.at(newest)["t"].read()["n"].tolist() == [2]


def test_a_second_row_is_a_conflict_that_names_it_and_nothing_is_written(db, make):
    t = make("error")
    other = db.create_table("other", {"time": "timestamp"})
    first = t.append([row(1), row(2, symbol="B")])
    with pytest.raises(oto.Conflict) as refused:
        with db.recorder() as r:
            r["other"].append({"time": NINE})
            r["t"].append([row(3, time="2026-01-05T10:00"), row(4)])
    said = str(refused.value)
    for part in ('"t"', '"symbol" "A"', "2026-01-05T09:00:00Z", f"commit {first.number}"):
        assert part in said
    assert refused.value.outcome == "failed" and refused.value.where["commits"] == [first.number]
    assert len(t) == 2 and len(other) == 0 and db.head == first
    with pytest.raises(oto.Conflict, match='two rows for "t" of "symbol" "C"'):
        t.append([row(5, symbol="C"), row(6, symbol="C")])
    t.replace("2026-01-05", "2026-01-06", row(7), keys={"symbol": "A"})
    t.delete(keys={"symbol": "B"})
    t.append(row(8, symbol="B"))
    assert t.read()["n"].tolist() == [7, 8]


def test_threads_that_append_the_same_rows_are_taken_once_each(make):
    t = make("error")
    taken = []

    def write():
        for minute in range(30):
            try:
                t.append(row(minute, time=np.datetime64(NINE) + np.timedelta64(minute, "m")))
                taken.append(minute)
            except oto.Conflict:
                pass

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(30)) and t.read()["n"].tolist() == list(range(30))
