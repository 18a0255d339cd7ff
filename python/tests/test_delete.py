"""Deleting and replacing rows: what ends, what stays, what is refused."""

import threading

import numpy as np
import pytest

import otolith as oto
from conftest import QUOTES, rows


def sizes(table, **what):
    return table.read(columns=["size"], **what)["size"].tolist()


def test_a_range_with_keys_and_a_condition_ends_and_old_commits_go_on_showing_it(db, quotes):
    quotes.append(rows(4))
    before = quotes.append(rows(4, symbol="MSFT"))
    c = quotes.delete(
        "2026-01-05T00:00:01",
        "2026-01-05T00:00:04",
        keys={"symbol": "MSFT"},
        where=oto.col("size") > 1,
        author="bob",
        message="wrong feed",
        extra={"ticket": 7},
    )
    assert c.changes == {"quotes": (0, 2)} and c.number == before.number + 1
    assert (c.author, c.message, c.extra) == ("bob", "wrong feed", {"ticket": 7})
    assert "quotes -2" in repr(c)
    assert sizes(quotes, keys={"symbol": "MSFT"}) == [0, 1]
    assert sizes(quotes, keys={"symbol": "AAPL"}) == [0, 1, 2, 3] and len(quotes) == 6
    assert len(db.at(before)["quotes"]) == 8
    assert sizes(db.at("HEAD~1")["quotes"], keys={"symbol": "MSFT"}) == [0, 1, 2, 3]
    assert db.verify().ok


def test_nothing_named_is_refused_and_all_ends_all(db, quotes):
    quotes.append(rows(3))
    with pytest.raises(oto.InvalidArgument, match="all=True"):
        quotes.delete()
    with pytest.raises(oto.InvalidArgument, match="all=True"):
        quotes.delete(keys={})
    with pytest.raises(oto.InvalidArgument, match="alone"):
        quotes.delete("2026-01-05", all=True)
    with pytest.raises(oto.InvalidArgument, match="all="):
        quotes.delete(all="yes")
    assert len(quotes) == 3
    assert quotes.delete(all=True).changes == {"quotes": (0, 3)}
    assert len(quotes) == 0 and quotes.time_range is None and quotes.read().to_pylist() == []


def test_no_row_is_no_commit(db, quotes):
    head = quotes.append(rows(3))
    for c in (
        quotes.delete("2027-01-01"),
        quotes.delete(keys={"symbol": []}),
        quotes.delete("2026-01-06", "2026-01-05"),
    ):
        assert c == head and c.changes == {} and db.head == head
    quotes.delete(all=True)
    assert quotes.delete(all=True).changes == {}


def test_what_is_unknown_is_refused_with_the_nearest_name(quotes):
    with pytest.raises(oto.InvalidArgument, match="symbol"):
        quotes.delete(keys={"symbl": "A"})
    with pytest.raises(oto.InvalidArgument, match="bid"):
        quotes.delete(where=oto.col("bidd") > 1)


def test_a_retry_returns_the_commit_that_won(db, quotes):
    quotes.append(rows(3))
    won = quotes.delete(stop="2026-01-05T00:00:01", change_id="ab" * 16)
    quotes.append(rows(1))
    assert quotes.delete(stop="2026-01-05T00:00:01", change_id="ab" * 16) == won
    assert len(quotes) == 3
    for other in (
        {"stop": "2026-01-05T00:00:02"},
        {"stop": "2026-01-05T00:00:01", "where": oto.col("size") > 1},
        {"stop": "2026-01-05T00:00:01", "keys": {"symbol": "AAPL"}},
        {"all": True},
    ):
        with pytest.raises(oto.Conflict, match="change id"):
            quotes.delete(**other, change_id="ab" * 16)
    replaced = quotes.replace("2026-01-05", "2026-01-06", rows(1), change_id="cd" * 16)
    assert quotes.replace("2026-01-05", "2026-01-06", rows(1), change_id="cd" * 16) == replaced
    with pytest.raises(oto.Conflict, match="change id"):
        quotes.replace("2026-01-05", "2026-01-07", rows(1), change_id="cd" * 16)


def test_a_recorder_deletes_what_was_staged_before_and_what_is_committed(db, quotes):
    quotes.append(rows(3))
    with db.recorder(message="clean") as r:
        r["quotes"].append(rows(3, symbol="MSFT"))
        r["quotes"].delete(where=oto.col("size") >= 1)
        r["quotes"].append(rows(2, symbol="IBM"))
    assert r.result.changes == {"quotes": (3, 2)}
    assert sizes(quotes, keys={"symbol": "AAPL"}) == [0]
    assert sizes(quotes, keys={"symbol": "MSFT"}) == [0]
    assert sizes(quotes, keys={"symbol": "IBM"}) == [0, 1]
    with db.recorder() as r:
        r["quotes"].append(rows(3, symbol="X"))
        r["quotes"].delete(keys={"symbol": "X"})
    assert r.result.changes == {} and r.result == db.head
    with db.recorder() as r:
        r["quotes"].delete(keys={"symbol": ["AAPL", "IBM"]})
        r["quotes"].delete(keys={"symbol": "IBM"})
        with pytest.raises(oto.InvalidArgument, match="all=True"):
            r["quotes"].delete()
    assert r.result.changes == {"quotes": (0, 3)}
    assert db.verify().ok


def test_a_recorder_sees_what_others_committed_since(db, quotes):
    r = db.recorder()
    r["quotes"].delete(keys={"symbol": "AAPL"})
    quotes.append(rows(3))
    assert r.commit().changes == {"quotes": (0, 3)} and len(quotes) == 0
    r = db.recorder()
    r["quotes"].delete(all=True)
    quotes.append(rows(2))
    quotes.delete(all=True)
    assert r.commit().changes == {}


def test_staged_rows_beyond_the_memory_are_deleted_and_never_written(path):
    with oto.open(path, memory_bytes=1 << 20) as db:
        t = db.create_table("t", {"time": "timestamp", "n": "int64"})
        n = 100_000
        with db.recorder() as r:
            r["t"].append({"time": np.arange(n), "n": np.arange(n)})
            r["t"].delete(where=oto.col("n") >= 5)
            r["t"].append({"time": np.arange(n, n + 3), "n": np.arange(3)})
            r["t"].replace(3, 5, {"time": [4], "n": [-1]})
        assert r.result.changes == {"t": (7, 0)}
        assert t.read()["n"].tolist() == [0, 1, 2, -1, 0, 1, 2]
        with db.recorder() as r:
            r["t"].append({"time": np.arange(n), "n": np.arange(n)})
            r["t"].delete(where=oto.col("n") < n, stop=n)
        assert r.result.changes == {"t": (0, 4)} and len(t) == 3
        assert db.verify().ok and db.status().unnamed_files == 0


def test_a_recorder_reads_what_it_staged_and_nobody_else_does(db, quotes):
    quotes.append(rows(3))
    with db.recorder() as r:
        seen = r["quotes"]
        assert len(seen) == 3
        seen.append(rows(2, symbol="MSFT"))
        seen.delete(where=oto.col("size") == 1)
        seen.append(rows(2, symbol="IBM"))
        assert len(seen) == 5 and len(quotes) == 3
        assert sizes(seen, order="stored") == [0, 2, 0, 1, 0]
        assert sizes(seen, keys={"symbol": ["IBM", "MSFT"]}, reverse=True, limit=2) == [1, 0]
        assert sizes(seen, where=oto.col("size") > 0) == [1, 2]
        assert seen.head(1)["size"].tolist() == [0] and seen.tail(1)["size"].tolist() == [2]
        assert seen.time_range[0] == quotes.time_range[0]
        data = seen.read("2026-01-05", "2026-01-06", columns=["symbol"])
        quotes.append(rows(1, symbol="X"))  # the next read sees it
        assert len(seen) == 6
        shown = seen.read().to_pylist()
    assert quotes.read().to_pylist() == shown
    assert sorted(data["symbol"].tolist()) == ["AAPL", "AAPL", "IBM", "IBM", "MSFT"]
    with pytest.raises(oto.InvalidArgument, match="committed"):
        seen.read()


def test_a_recorder_reads_no_table_that_was_altered_since_it_staged(db, quotes):
    other = db.create_table("other", {"time": "timestamp"})
    r = db.recorder()
    r["quotes"].append(rows(2))
    quotes.alter(metadata={"source": "b"})
    assert len(r["quotes"]) == 2
    quotes.alter(add={"venue": "string"})
    with pytest.raises(oto.Conflict, match="altered since"):
        len(r["quotes"])
    other.alter(add={"venue": "string"})
    assert r["other"].read().columns == ["time", "venue"]
    db.drop("quotes")
    with pytest.raises(oto.Conflict, match="dropped since"):
        r["quotes"].read()
    with pytest.raises(oto.NotFound):
        r["quotess"].read()
    r.discard()


def test_replace_ends_the_range_and_adds_in_one_commit(db, quotes):
    quotes.append(rows(4))
    quotes.append(rows(4, symbol="MSFT"))
    c = quotes.replace(
        "2026-01-05T00:00:02", "2026-01-06", rows(1, "2026-01-05T12:00"), keys={"symbol": "AAPL"}
    )
    assert c.changes == {"quotes": (1, 2)}
    assert sizes(quotes, keys={"symbol": "AAPL"}) == [0, 1, 0] and len(quotes) == 7
    assert quotes.replace(None, None, rows(2)).changes == {"quotes": (2, 7)}
    empty = {name: [] for name in QUOTES}
    assert quotes.replace("2026-01-05", None, empty).changes == {"quotes": (0, 2)}
    with db.recorder() as r:
        r["quotes"].append(rows(5))
        r["quotes"].replace("2026-01-05", "2026-01-05T00:00:03", rows(1))
    assert r.result.changes == {"quotes": (3, 0)} and sizes(quotes) == [0, 3, 4]


def test_replace_refuses_what_is_outside(db, quotes):
    quotes.append(rows(3))
    head = db.head
    with pytest.raises(oto.InvalidArgument, match=r"row 2 is of 2026-01-05T00:00:02Z, outside of"):
        quotes.replace("2026-01-05", "2026-01-05T00:00:02", rows(4))
    with pytest.raises(oto.InvalidArgument, match=r'row 0 has another "symbol"'):
        quotes.replace("2026-01-05", "2026-01-06", rows(4), keys={"symbol": ["MSFT", "IBM"]})
    with db.recorder() as r:
        with pytest.raises(oto.InvalidArgument, match="outside of"):
            r["quotes"].replace("2026-01-06", None, rows(1))
    assert db.head == head and len(quotes) == 3


def test_a_snapshot_and_a_reader_delete_nothing(path):
    with oto.open(path) as db:
        db.create_table("t", {"time": "timestamp"}).append({"time": "2026-01-05"})
        with pytest.raises(oto.InvalidArgument, match="cannot be written"):
            db.at("HEAD")["t"].delete(all=True)
        with pytest.raises(oto.InvalidArgument, match="cannot be written"):
            db.at("HEAD")["t"].replace(None, None, {"time": []})
        with oto.open(path, read_only=True) as reader:
            with pytest.raises(oto.InvalidArgument, match="read-only"):
                reader["t"].delete(all=True)


def test_ended_rows_stay_ended_behind_a_close(path):
    with oto.open(path) as db:
        t = db.create_table("t", {"time": "timestamp", "n": "int64"}, keys=[])
        t.append({"time": np.arange(300_000), "n": np.arange(300_000)})
        t.delete(where=oto.col("n") >= 7)
        t.append({"time": np.arange(10) + 10**6, "n": np.arange(10)})
        t.delete(10**6 + 3)
    for _ in range(2):
        with oto.open(path) as db:
            t = db["t"]
            assert len(t) == 10 and t.read()["n"].tolist() == [*range(7), 0, 1, 2]
            assert t.time_range == (np.datetime64(0, "ns"), np.datetime64(10**6 + 2, "ns"))
            assert t.tail(2)["n"].tolist() == [1, 2] and t.head(1)["n"].tolist() == [0]
            assert t.read(where=oto.col("n") > 1, limit=3)["n"].tolist() == [2, 3, 4]
            assert t.read(limit=2, reverse=True)["n"].tolist() == [2, 1]
            assert len(db.at(2)["t"]) == 300_000 and db.verify().ok
            assert db.status().datasets["t"].rows == 10


def test_deletes_and_appends_of_many_threads_lose_nothing(path):
    with oto.open(path) as db:
        t = db.create_table("t", {"time": "timestamp", "n": "int64"})
        ended = []

        def append(first):
            for n in range(first, first + 50):
                t.append({"time": n, "n": n})

        def delete():
            for _ in range(25):
                ended.append(t.delete(all=True).changes.get("t", (0, 0))[1])

        threads = [threading.Thread(target=append, args=(n * 1000,)) for n in range(2)]
        threads += [threading.Thread(target=delete) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(ended) + len(t) == 100
        for commit in db.log():
            if commit.changes.get("t", (0, 0))[1]:
                assert len(db.at(commit)["t"]) == 0  # as if run at its own commit
