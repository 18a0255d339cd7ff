"""History as users walk it: head, log, at, tags, recorders, change ids."""

import datetime as dt
import uuid

import numpy as np
import pytest

import otolith as oto
from conftest import QUOTES, rows


def test_an_empty_database_has_commit_zero(db):
    assert db.head.number == 0 and db.log() == [] and "empty" in repr(db.head)
    assert db.at("HEAD").commit.number == 0 and db.at(0).datasets() == []


def test_a_commit_tells_who_what_and_when(db, quotes):
    before = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=1)
    c = quotes.append(
        rows(3),
        author="bob",
        message="morning",
        extra={"feed": ["a", 1.5, None]},
        change_id=uuid.UUID(int=7),
    )
    assert (c.number, c.author, c.message) == (2, "bob", "morning")
    assert c.extra == {"feed": ["a", 1.5, None]} and c.change_id == uuid.UUID(int=7).hex
    assert len(c.hash) == 64 and c.parent == db.at(1).commit.hash
    assert before < c.time < dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=1)
    assert c.time.tzinfo is not None and c.changes == {"quotes": (3, 0)} and c.durable
    assert "Commit 2" in repr(c) and "quotes +3" in repr(c) and "'morning'" in repr(c)
    assert db.at(1).commit.extra == {} and db.at(1).commit.author == "ana"


def test_the_log_is_newest_first_and_filters(db, quotes):
    other = db.create_table("other", {"time": "timestamp"})
    for n in range(5):
        quotes.append(rows(1), author="bob" if n % 2 else "cleo")
    other.append({"time": 0})
    assert [c.number for c in db.log()] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [c.number for c in db.log(reverse=True, limit=2)] == [1, 2]
    assert [c.number for c in db.log(author="bob")] == [6, 4]
    assert [c.number for c in db.log(dataset="other")] == [8, 2]
    assert db.log(since=dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)) == []
    assert len(db.log(until=dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1))) == 8
    assert repr(db.log()).count("\n") == 7


def test_an_old_state_stays(db, quotes):
    first = quotes.append(rows(3))
    quotes.append(rows(2, "2026-01-06"))
    for ref in (
        first.number,
        str(first.number),
        "HEAD~1",
        "#" + first.hash[:10],
        first,
        np.int64(first.number),
    ):
        old = db.at(ref)
        assert old.commit == first and len(old["quotes"]) == 3 and "quotes" in old
        assert old["quotes"].read().to_pylist() == quotes.read(stop="2026-01-06").to_pylist()
    assert db.at(time=first.time_ns).commit == first
    assert db.at(time="1999-01-01").commit.number == 0
    assert "quotes" not in db.at(0) and db.at("HEAD~3").datasets() == []


def test_a_snapshot_cannot_be_written(db, quotes):
    quotes.append(rows(3))
    with pytest.raises(oto.InvalidArgument, match="cannot be written"):
        db.at("HEAD")["quotes"].append(rows(1))
    assert len(quotes) == 3


def test_a_live_table_reads_head_and_a_pinned_one_does_not(db, quotes):
    pinned = db.at("HEAD")["quotes"]
    quotes.append(rows(3))
    assert (len(quotes), len(pinned)) == (3, 0)


@pytest.mark.parametrize("ref", [99, "99", "HEAD~99", "nobody", "#abcdef0"])
def test_a_commit_that_is_not_there_is_not_found(db, quotes, ref):
    with pytest.raises(oto.NotFound):
        db.at(ref)


@pytest.mark.parametrize(
    "text", ["eve\nCommit 9  forged", "\x1b[2K\x1b[1A", "a\r\x9bm", "\u2028"], ids=repr
)
def test_no_author_or_message_forges_a_line_of_the_log(quotes, db, text):
    c = quotes.append(rows(1), author=text, message=text)
    assert c.author == text and c.message == text
    assert len(repr(db.log()).splitlines()) == 2
    assert repr(db.log()).replace("\n", "").isprintable()


@pytest.mark.parametrize("ref", [-1, 1.5, "", "#abc", "HEAD~x", b"1"], ids=repr)
def test_a_reference_that_is_none_is_refused(db, quotes, ref):
    with pytest.raises((oto.InvalidArgument, oto.NotFound)):
        db.at(ref)


def test_at_takes_one_of_reference_and_time(db):
    for arguments in ({}, {"ref": 0, "time": "2026-01-05"}):
        with pytest.raises(oto.InvalidArgument, match="either"):
            db.at(**arguments)


def test_tags_name_commits(db, quotes):
    c = quotes.append(rows(1))
    quotes.append(rows(1))
    db.tag("v1", c)
    db.tag("latest")
    assert db.tags() == {"v1": c, "latest": db.head} and len(db.at("v1")["quotes"]) == 1
    with pytest.raises(oto.Conflict, match="v1"):
        db.tag("v1", 1)
    db.untag("v1")
    assert list(db.tags()) == ["latest"]
    with pytest.raises(oto.NotFound, match="v1"):
        db.untag("v1")
    for bad in ("1st", "", "#a"):
        with pytest.raises(oto.InvalidArgument):
            db.tag(bad)


def test_a_recorder_commits_many_tables_at_once(db, quotes):
    other = db.create_table("other", {"time": "timestamp"})
    with db.recorder(author="bob", message="open", extra=[1]) as r:
        r["quotes"].append(rows(3))
        r["quotes"].append({"time": "2026-01-07", "symbol": "B"})
        r["other"].append({"time": 0})
        assert (len(quotes), len(other)) == (0, 0) and r.result is None
    assert r.result == db.head and r.result.changes == {"quotes": (4, 0), "other": (1, 0)}
    assert (r.result.author, r.result.message, r.result.extra) == ("bob", "open", [1])
    assert (len(quotes), len(other)) == (4, 1)


def test_a_recorder_discards_on_an_exception(db, quotes):
    head = db.head
    with pytest.raises(ZeroDivisionError):
        with db.recorder() as r:
            r["quotes"].append(rows(3))
            raise ZeroDivisionError
    assert db.head == head and len(quotes) == 0 and r.result is None
    with pytest.raises(oto.InvalidArgument, match="committed or discarded"):
        r["quotes"].append(rows(1))


def test_a_recorder_can_be_ended_by_hand(db, quotes):
    r = db.recorder()
    r["quotes"].append(rows(3))
    assert r.commit() == r.result == db.head
    with db.recorder() as discarded:
        discarded["quotes"].append(rows(3))
        discarded.discard()
    assert len(quotes) == 3 and discarded.result is None
    with pytest.raises(oto.InvalidArgument):
        r.commit()


def test_a_recorder_refuses_bad_rows_and_keeps_the_good_ones(db, quotes):
    with db.recorder() as r:
        r["quotes"].append(rows(3))
        with pytest.raises(oto.InvalidArgument, match='"size": row 0 is 0.5'):
            r["quotes"].append({"time": 0, "symbol": "A", "size": 0.5})
    assert len(quotes) == 3


def test_a_recorder_with_nothing_staged_is_no_commit(db, quotes):
    with db.recorder() as r:
        pass
    assert r.result == db.head and r.result.number == 1


def test_a_recorder_names_the_nearest_table(db, quotes):
    with pytest.raises(oto.NotFound, match='did you mean "quotes"'):
        db.recorder()["quote"].append({})


def test_a_change_id_is_applied_once(db, quotes):
    change_id = "0123456789abcdef" * 2
    first = quotes.append(rows(3), change_id=change_id)
    again = quotes.append(rows(3), change_id=change_id)
    assert again == first == db.head and len(quotes) == 3
    for bad in ("xyz", "0" * 31, ""):
        with pytest.raises(oto.InvalidArgument, match="change"):
            quotes.append(rows(1), change_id=bad)


@pytest.mark.parametrize("extra", [{1, 2}, float("nan"), object()], ids=repr)
def test_extra_is_json(quotes, extra):
    with pytest.raises(oto.InvalidArgument, match="extra="):
        quotes.append(rows(1), extra=extra)


def test_status_tells_rows_and_bytes(db, quotes):
    quotes.append(rows(1000))
    status = db.status()
    assert status.head == 2 and status.datasets["quotes"].rows == 1000
    for found in (status.torn_tails, status.lost, status.damage, status.foreign):
        assert found == []
    assert len(status.database_id) == 32 and "quotes: 1,000 rows" in repr(status)


def test_verify_reads_everything_and_reports_progress(db, quotes):
    quotes.append(rows(100_000))
    seen = []
    report = db.verify(progress=lambda done, total: seen.append((done, total)))
    assert report.ok and report.problems == [] and report.bytes > 0
    assert seen and seen[-1][0] == seen[-1][1] and seen == sorted(seen)
    assert "ok" in repr(report)


def test_an_exception_of_progress_stops_verify(db, quotes):
    quotes.append(rows(100_000))

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.verify(progress=stop)
    assert db.verify().ok


def test_relaxed_commits_become_durable(path):
    with oto.open(path, durability="relaxed") as db:
        table = db.create_table("t", QUOTES)
        table.append(rows(3))
        db.sync()
    with oto.open(path) as db:
        assert len(db["t"]) == 3


def test_read_only_writes_nothing(path):
    with oto.open(path) as db:
        db.create_table("t", QUOTES).append(rows(3))
    files = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    with oto.open(path, read_only=True) as db:
        assert len(db["t"].read()) == 3 and db.status().read_only
        for write in (
            lambda: db["t"].append(rows(1)),
            lambda: db.create_table("u", QUOTES),
            lambda: db.tag("v"),
            db.recorder,
        ):
            with pytest.raises(oto.InvalidArgument, match="read.only"):
                write()
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()} == files


def test_a_retry_is_one_whatever_the_memory_and_the_pieces(path):
    change_id = "0123456789abcdef" * 2
    n = 60_000
    data = {"time": (np.arange(n) * 7919) % n, "n": np.arange(n)}
    made = []
    for memory_bytes, pieces in ((1 << 30, 1), (1 << 20, 1), (1 << 20, 7), (1 << 30, 3)):
        with oto.open(path, memory_bytes=memory_bytes) as db:
            table = db.create_table("t", {"time": "timestamp", "n": "int64"}, exist_ok=True)
            if pieces == 1:
                made.append(table.append(data, change_id=change_id))
            else:
                with db.recorder(change_id=change_id) as r:
                    for piece in np.array_split(np.arange(n), pieces):
                        r["t"].append({name: values[piece] for name, values in data.items()})
                made.append(r.result)
            assert len(table) == n
    assert len(set(made)) == 1
    with oto.open(path) as db:
        with pytest.raises(oto.Conflict):
            db["t"].append({**data, "n": data["n"][::-1]}, change_id=change_id)
