"""progress= of appends and recorders: rows done, rows in all; True is a bar."""

import numpy as np
import pytest

import otolith as oto


def times(rows):
    return {"time": np.arange(rows)}


@pytest.fixture
def t(db):
    return db.create_table("t", {"time": "timestamp"}, partition=None)


def test_an_append_tells_of_rows_done_and_in_all(t):
    told = []
    t.append(times(2_500_000), progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 2_500_000) and told[-1] == (2_500_000, 2_500_000)
    assert [done for done, _ in told] == sorted({done for done, _ in told}) and len(told) > 3
    told.clear()
    t.replace(0, 10, times(10), progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 10), (10, 10)]
    assert len(t) == 2_500_000


def test_a_recorder_tells_of_its_commit(db, t):
    told = []
    with db.recorder(progress=lambda done, total: told.append((done, total))) as r:
        r["t"].append(times(5))
        r["t"].append(times(6))
        assert told == []
    assert told == [(0, 11), (11, 11)] and len(t) == 11


def test_true_is_a_bar_of_rows(t, capsys):
    t.append(times(2000), progress=True)
    assert "100% of 2,000 rows\n" in capsys.readouterr().err
    t.append(times(1), progress=False)
    assert capsys.readouterr().err == ""


def test_an_exception_stops_it_and_nothing_is_committed(db, t):
    head = db.head

    def stop(done, total):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        t.append(times(5), progress=stop)
    with pytest.raises(KeyError, match="enough"):
        with db.recorder(progress=stop) as r:
            r["t"].append(times(5))
    assert db.head == head and len(t) == 0
    with pytest.raises(oto.InvalidArgument, match="progress='yes': give True, or a callable"):
        t.append(times(1), progress="yes")


def test_a_recorder_that_a_callback_ended_says_so(db, t):
    def stop(done, total):
        raise KeyError("enough")

    r = db.recorder(progress=stop)
    r["t"].append(times(5))
    with pytest.raises(KeyError):
        r.commit()
    with pytest.raises(oto.InvalidArgument, match="ended by an error.*callback"):
        r["t"].append(times(5))
    with pytest.raises(oto.Cancelled) as ended:
        r.commit()
    assert ended.value.outcome == "failed" and len(t) == 0


def test_a_callback_may_commit_but_not_wait_for_its_own_work(tmp_path):
    with oto.open(tmp_path / "a.oto", durability="relaxed") as db:
        table = db.create_table("t", {"time": "timestamp"})
        table.append(times(5))
        refused = []

        def call(done, total):
            if not refused:
                for i in range(9000):  # beyond twice the tail
                    table.append({"time": i})
                with pytest.raises(oto.InvalidArgument, match="progress callback"):
                    db.compact()
                refused.append(True)

        db.compact(progress=call)
        assert refused and len(table) == 9005
