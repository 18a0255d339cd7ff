"""Rolling back, reverting, comparing and blaming."""

import pickle

import numpy as np
import pytest

import otolith as oto

TIMES = ["2026-01-05", "2026-01-06", "2026-01-07"]


@pytest.fixture
def table(db):
    return db.create_table("t", {"time": "timestamp", "k": "string", "n": "int32"}, keys=["k"])


def put(table, times, numbers, key="a", **options):
    data = {"time": np.array(times, "M8[ns]"), "k": [key] * len(times), "n": numbers}
    return table.append(data, **options)


def values(table):
    return table.read()["n"].tolist()


def test_a_rollback_and_the_revert_of_it(db, table):
    then = put(table, TIMES, [1, 2, 3])
    table.delete(all=True)
    back = db.rollback(then, author="ben", message="back")
    assert (back.author, back.message, values(table)) == ("ben", "back", [1, 2, 3])
    assert db.rollback("HEAD").number == back.number
    db.revert(back)
    assert values(table) == []
    assert [c.message for c in db.log(dataset="t", author="ben")] == ["back"]


def test_a_rollback_of_some_rows(db, table):
    then = put(table, TIMES, [1, 2, 3])
    put(table, TIMES, [4, 5, 6], key="b")
    table.delete(all=True)
    c = db.rollback("HEAD~1", dataset="t", start="2026-01-06", keys={"k": ["b"]})
    assert values(table) == [5, 6] and c.changes == {"t": (2, 0)}
    would = db.rollback(then, dataset="t", stop="2026-01-06", dry_run=True)
    assert (would.second, len(would["t"].added), db.head.number) == (None, 1, c.number)
    with pytest.raises(oto.InvalidArgument, match="of one dataset"):
        db.rollback(then, keys={"k": "a"})
    with pytest.raises(oto.InvalidArgument, match="ids are of one dataset"):
        db.rollback(then, ids=["x"])
    with pytest.raises(oto.InvalidArgument, match="dry_run"):
        db.rollback(then, dry_run="yes")


def test_a_conflict_lists_what_differs(db, table):
    bad = put(table, TIMES, [1, 2, 3])
    table.delete("2026-01-06", "2026-01-07")
    with pytest.raises(oto.Conflict, match="changed by commit 2 and again by commit 3") as caught:
        db.revert(bad)
    assert caught.value.differences == [
        '1 row of "t" begun by commit 2 were changed by commit 2 and again by commit 3'
    ]
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.differences == caught.value.differences
    assert oto.NotFound("x").differences == []
    with pytest.raises(oto.Conflict):
        db.revert(bad, dry_run=True)
    assert values(table) == [1, 3]


def test_references_that_lead_nowhere(db, table):
    put(table, TIMES, [1, 2, 3])
    for call in (db.rollback, db.revert):
        with pytest.raises(oto.NotFound, match="HEAD is 2"):
            call(99)
        with pytest.raises(oto.NotFound, match="no tag"):
            call("v9")
    with pytest.raises(oto.InvalidArgument, match="cannot revert 0"):
        db.revert(0)
    with pytest.raises(oto.NotFound, match="commit 1 created it"):
        db.rollback(0, dataset="t")
    with pytest.raises(oto.NotFound, match='did you mean "t"'):
        db.diff(1, 2, dataset="tt")
    with pytest.raises(oto.InvalidArgument, match="snapshot never changes"):
        db.at(1).rollback(0)


def test_a_diff_counts_first_and_reads_later(db, table):
    put(table, TIMES, [1, 2, 3])
    table.delete("2026-01-06", "2026-01-07")
    put(table, ["2026-01-08"], [4])
    diff = db.diff(2, "HEAD")
    of = diff["t"]
    assert list(diff) == ["t"] and (len(of.added), len(of.removed), len(of.changed)) == (1, 1, 0)
    assert [row["n"] for row in of.added] == [4] and of.removed.read()["n"].tolist() == [2]
    assert repr(diff) == "Diff of commits 2 and 4\nt: 1 row added, 1 row removed"
    assert (
        "<td>t</td>" in diff._repr_html_()
        and not db.diff(2, 2)
        and "no difference" in repr(db.diff(2, 2))
    )
    with pytest.raises(oto.NotFound, match='"u" does not differ'):
        diff["u"]


def test_a_diff_of_a_policy_pairs_both_sides(db):
    t = db.create_table("p", {"time": "timestamp", "n": "int32"}, duplicates="last")
    t.append({"time": TIMES, "n": [1, 2, 3]})
    t.append({"time": TIMES[:2], "n": [10, 20]})
    changed = db.diff("HEAD~1", "HEAD")["p"].changed
    assert [(a["n"], b["n"]) for a, b in changed] == [(1, 10), (2, 20)] and len(changed) == 2
    assert changed.before.read()["n"].tolist() == [1, 2] and repr(changed) == "2 changed rows"


def test_a_diff_of_names_columns_and_notes(db, table):
    put(table, TIMES, [1, 2, 3])
    table.alter(add={"v": oto.string}, rename={"n": "m"}, widen={"n": oto.int64})
    db.rename("t", "u")
    db.alter(metadata={"owner": "ana"})
    diff = db.diff(2, "HEAD")
    assert diff["u"].renamed and diff["u"].before == "t" and diff.metadata == {"owner": "ana"}
    assert repr(diff["u"].schema) == "add v string, rename n to m, widen n to int64"
    assert diff["u"].schema.widen == {"n": oto.int64} and not diff["u"].schema.drop
    assert db.diff("HEAD", 0)["u"].dropped


def test_many_rows_are_iterated_piece_by_piece(db, table):
    count = 200_000
    table.append({"time": np.arange(count), "k": ["a"] * count, "n": np.arange(count)})
    added = db.diff("HEAD~1", "HEAD")["t"].added
    sizes = [len(piece) for piece in added.pieces()]
    assert len(sizes) > 2 and sum(sizes) == count and max(sizes) < 100_000
    assert sum(row["n"] for row in added.rows(times="ns")) == count * (count - 1) // 2


def test_blame_tells_who_wrote_what_is_shown(db, table):
    put(table, TIMES, [1, 2, 3], author="ana", message="first")
    put(table, TIMES[:1], [4], key="b", author="ben")
    found = db.blame("t", "2026-01-05", "2026-01-06")
    assert [(of.author, of.commit.number, len(of.rows)) for of in found] == [
        ("ben", 3, 1),
        ("ana", 2, 1),
    ]
    assert [row["n"] for row in found[1].rows] == [1] and found[1].message == "first"
    assert [len(of) for of in db.at(2).blame("t")] == [3]
    assert len(db.blame("t", keys={"k": "b"})) == 1
    assert repr(found).count("\n") == 1 and "<td>ben</td>" in found._repr_html_()
    assert repr(db.at(1).blame("t")) == "no rows"
