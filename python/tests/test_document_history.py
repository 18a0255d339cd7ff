"""Documents: rolled back by ids and times, compared, and who set what in them."""

import numpy as np
import otolith as oto
import pytest


@pytest.fixture
def db():
    with oto.open(":memory:", author="ana") as opened:
        yield opened


@pytest.fixture
def notes(db):
    notes = db.collection("notes")
    notes.put([{"_id": "a", "n": 1, "user": {"city": "Oslo"}}, {"_id": "b", "n": 1}])
    notes.put([{"_id": "a", "n": 2, "user": {"city": "Oslo"}}, {"_id": "c"}], author="ben")
    notes.delete("b")
    return notes


def test_ids_go_back_and_nothing_else(db, notes):
    would = db.rollback(1, "notes", ids=["b", "c", "zz"], dry_run=True)
    assert repr(would["notes"]) == "notes: 1 document added, 1 document removed"
    assert [d["_id"] for d in notes.find()] == ["a", "c"]
    c = db.rollback(1, "notes", ids=["b", "c", "zz"], message="back")
    assert c.changes == {"notes": (1, 1)} and c.message == "back"
    assert list(notes.find()) == [
        {"_id": "a", "n": 2, "user": {"city": "Oslo"}}, {"_id": "b", "n": 1}
    ]  # fmt: skip
    assert db.rollback(1, "notes", ids="a").number == c.number + 1
    assert notes["a"]["n"] == 1 and len(notes) == 2


def test_a_range_takes_whole_documents_back(db):
    events = db.collection("events", time="at")
    events.put([{"_id": "x", "at": "2026-01-05T00:00Z"}, {"_id": "y", "at": "2026-01-05T00:00Z"}])
    events.put({"_id": "x", "at": "2026-02-05T00:00Z"})
    for month in ("2026-01", "2026-02"):
        db.rollback(1, "events", start=f"{month}-01", stop=f"{month}-20")
        assert [d["at"] for d in events.find()] == ["2026-01-05T00:00Z"] * 2 and len(events) == 2
        db.revert("HEAD")


def test_what_does_not_fit_is_refused(db, notes):
    db.create_table("t", {"time": "timestamp"})
    for wrong in (dict(dataset="t", ids="a"), dict(ids="a"), dict(dataset="notes", ids=[7])):
        with pytest.raises(oto.InvalidArgument):
            db.rollback("HEAD", **wrong)
    with pytest.raises(oto.InvalidArgument, match="is a collection"):
        db.rollback("HEAD", "notes", keys={"_id": "a"})
    with pytest.raises(oto.InvalidArgument, match="blame\\(name, id\\)"):
        db.blame("notes")
    with pytest.raises(oto.NotFound, match="no document"):
        db.blame("notes", "b")


def test_a_diff_tells_documents_and_paths(db, notes):
    of = db.diff(1, "HEAD")["notes"]
    assert (len(of.added), len(of.removed), len(of.changed)) == (1, 1, 1)
    assert list(of.added) == [{"_id": "c"}] and list(of.removed) == [{"_id": "b", "n": 1}]
    (change,) = of.changed
    assert (change.id, change.before["n"], change.after["n"]) == ("a", 1, 2)
    assert [(p.path, p.kind, p.before, p.after) for p in change.paths] == [("n", "changed", 1, 2)]
    assert repr(of) == "notes: 1 document added, 1 document removed, 1 document changed"
    assert repr(of.changed) == "1 changed document\n'a': n: 1 -> 2"
    assert "n: 1" in of.changed._repr_html_() and len(list(of.changed)) == 1


def test_reprs_of_large_diffs_are_bounded(db):
    notes = db.collection("many")
    notes.put([{"_id": f"{i:05}", **{f"f{j}": j for j in range(40)}} for i in range(1000)])
    notes.put([{"_id": f"{i:05}", "x" * 5000: "y" * 5000} for i in range(1000)])
    of = db.diff(1, 2)["many"]
    assert len(of.changed) == 1000 and len(repr(of.changed).splitlines()) == 7
    assert "in all" in repr(of.changed)
    assert len(repr(db.diff(0, 1)["many"].added).splitlines()) == 7
    assert sum(1 for _ in of.changed) == 1000


def test_values_keep_their_types(db):
    notes = db.collection("typed")
    notes.put({"_id": "a", "t": np.datetime64("2026-01-05T00:00:00.000000001"), "f": float("nan")})
    notes.patch("a", {"t": b"raw"})
    (change,) = db.diff(1, 2)["typed"].changed
    (path,) = change.paths
    assert path.before == np.datetime64("2026-01-05T00:00:00.000000001") and path.after == b"raw"


def test_blame_tells_who_set_each_value(db, notes):
    found = db.blame("notes", "a")
    assert [(of.path, of.value, of.author, of.commit.number) for of in found] == [
        ("n", 2, "ben", 2),
        ("user.city", "Oslo", "ana", 1),
    ]
    assert [of.author for of in db.at(1).blame("notes", "a")] == ["ana", "ana"]
    assert repr(found).splitlines()[0].startswith("n: 2, Commit")
    assert "<td>ben</td>" in found._repr_html_()


def test_a_history_verifies(db, notes):
    db.rollback(1, "notes", ids=["b"])
    db.compact()
    report = db.verify(history=True)
    assert report.ok and report.commits == 2 and report.commits_unknown == 0
    assert db.verify().commits == 0
