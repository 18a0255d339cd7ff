"""Collections: documents by id, their history, and how they meet tables and recorders."""

import datetime
import threading

import pytest

import otolith as oto


@pytest.fixture
def db():
    with oto.open(":memory:", author="ana") as opened:
        yield opened


@pytest.fixture
def notes(db):
    return db.collection("notes")


def test_a_collection_begins_with_its_first_write(db, notes):
    assert len(notes) == 0 and "a" not in notes and notes.get("a") is None and list(notes) == []
    assert notes.delete("a").number == 0 and "notes" not in db
    commit = notes.put({"_id": "a", "n": 1}, message="begin")
    assert (commit.number, commit.ids, commit.message) == (1, ["a"], "begin")
    assert db.datasets() == ["notes"] and db["notes"]["a"] == {"_id": "a", "n": 1}
    assert isinstance(db["notes"], oto.Collection)


def test_documents_come_back_as_they_went_in(notes):
    when = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.timezone.utc)
    document = {
        "_id": "a", "none": None, "yes": True, "n": -5, "x": 1.5, "text": "Zürich", "raw": b"\x00",
        "when": when, "list": [1, [2, {}]], "map": {"b": 1, "a": 2},
    }  # fmt: skip
    notes.put(document)
    assert notes["a"] == document and list(notes["a"]["map"]) == ["b", "a"]


@pytest.mark.parametrize(
    "bad", [5, "text", [1], [{"_id": 1}], {"_id": ""}, {"a": object()}, {1: 2}, {"_time": 3}]
)
def test_what_is_no_document_is_refused(notes, bad):
    with pytest.raises(oto.InvalidArgument):
        notes.put(bad)
    assert len(notes) == 0


def test_put_of_the_same_is_no_commit(db, notes):
    notes.put([{"_id": "a", "n": 1}, {"_id": "b"}])
    same = notes.put([{"_id": "b"}, {"_id": "a", "n": 1}])
    assert same.changes == {} and db.head.number == 1
    assert notes.put([{"_id": "a", "n": 2}, {"_id": "b"}]).changes == {"notes": (1, 1)}
    assert notes.put([]).number == 2


def test_insert_patch_and_delete(notes):
    notes.insert({"_id": "a", "user": {"city": "Oslo", "age": 7}})
    with pytest.raises(oto.Conflict, match="already"):
        notes.insert({"_id": "a"})
    notes.patch("a", {"user": {"city": "Rome", "age": None}})
    assert notes["a"]["user"] == {"city": "Rome"}
    with pytest.raises(oto.NotFound, match="to patch"):
        notes.patch("zz", {"n": 1})
    with pytest.raises(oto.NotFound, match="zz"):
        notes["zz"]
    assert notes.delete(["a", "zz"]).changes == {"notes": (0, 1)}
    with pytest.raises(oto.InvalidArgument, match="either"):
        notes.delete()


def test_revisions_guard_against_others(db, notes):
    notes.put({"_id": "a", "n": 1})
    entry = notes.entry("a")
    assert entry.document == {"_id": "a", "n": 1} and entry.commit == db.head
    notes.put({"_id": "a", "n": 2}, if_revision=entry.revision)
    for stale in (notes.put, lambda d, **k: notes.patch("a", d, **k)):
        with pytest.raises(oto.Conflict) as raised:
            stale({"_id": "a", "n": 3}, if_revision=entry.revision)
        assert raised.value.outcome == "failed"
    with pytest.raises(oto.Conflict):
        notes.delete("a", if_revision=entry.revision)
    with pytest.raises(oto.Conflict):
        notes.put({"_id": "a"}, if_revision=None)
    notes.put({"_id": "b"}, if_revision=None)
    with pytest.raises(oto.InvalidArgument, match="one document"):
        notes.put([{"_id": "c"}, {"_id": "d"}], if_revision=None)


def test_old_states_and_revisions(db, notes):
    notes.put({"_id": "a", "n": 1}, message="one")
    notes.put({"_id": "a", "n": 2}, message="two", author="ben")
    notes.delete("a", message="gone")
    assert db.at(1)["notes"]["a"]["n"] == 1 and "a" not in notes
    told = [(r.commit.number, r.author, r.message, r.document) for r in notes.revisions("a")]
    assert told == [
        (3, "ana", "gone", None),
        (2, "ben", "two", {"_id": "a", "n": 2}),
        (1, "ana", "one", {"_id": "a", "n": 1}),
    ]
    old = db.at(2)["notes"]
    assert len(old.revisions("a")) == 2
    for write in (lambda: old.put({}), lambda: old.patch("a", {}), lambda: old.delete("a")):
        with pytest.raises(oto.InvalidArgument, match="as of commit 2"):
            write()


def test_find(notes):
    notes.put([{"_id": f"k{i:02}", "n": i, "user": {"even": i % 2 == 0}} for i in range(20)])
    assert [d["n"] for d in notes.find(where=oto.col("user.even"), limit=2)] == [0, 2]
    assert [d["n"] for d in notes.find(where="n >= 18")] == [18, 19]
    assert [d["n"] for d in notes.find(reverse=True, limit=1)] == [19]
    assert [d["n"] for d in notes.find(prefix="k1")] == list(range(10, 20))
    assert [d["n"] for d in notes.find(ids=["k05", "zz", "k01"])] == [1, 5]
    assert list(notes.find(where=oto.col("missing") != 1)) == []
    found = notes.find()
    notes.delete(where="n >= 0")
    assert len(list(found)) == 20 and len(notes) == 0


def test_times_are_declared_or_of_the_commit(db, notes):
    first = notes.put({"_id": "a"})
    notes.patch("a", {"n": 1})
    assert notes.entry("a").time == first.time
    events = db.collection("events", time="at", unit="ms")
    events.put({"_id": "a", "at": "2026-01-05T12:00Z"})
    events.put({"_id": "b", "at": datetime.datetime(2026, 1, 6)})
    assert [d["_id"] for d in events.find("2026-01-06")] == ["b"]
    assert [d["_id"] for d in events.find(order="time", reverse=True)][0] == "b"
    with pytest.raises(oto.InvalidArgument, match="choose one of 'id', 'time'"):
        events.find(order="stored")
    with pytest.raises(oto.InvalidArgument, match="states no time"):
        events.put({"_id": "c"})
    with pytest.raises(oto.Conflict, match="time"):
        db.collection("events", time="other")
    assert db["events"].time == "at" and notes.time is None


def test_a_recorder_reads_its_documents(db, notes):
    db.create_table("t", {"time": "timestamp", "n": "int32"})
    with db.recorder(message="both") as r:
        r["t"].append({"time": "2026-01-05", "n": 1})
        assert r["notes"].put([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]) == ["a", "b"]
        r["notes"].patch("a", {"n": 5})
        r["notes"].delete(where=oto.col("n") == 2)
        assert list(r["notes"]) == [{"_id": "a", "n": 5}] and len(notes) == 0
        with pytest.raises(oto.InvalidArgument, match="is a table"):
            r.collection("t")
    assert r.result.changes == {"notes": (1, 0), "t": (1, 0)}
    with pytest.raises(oto.Conflict), db.recorder() as r:
        r["notes"].insert({"_id": "a"})


def test_tables_and_collections_are_told_apart(db, notes):
    db.create_table("t", {"time": "timestamp"})
    notes.put({"_id": "a"})
    with pytest.raises(oto.InvalidArgument, match="is a table"):
        db.collection("t")
    with pytest.raises(oto.Conflict):
        db.create_table("notes", {"time": "timestamp"})
    with pytest.raises(oto.NotFound, match="notes"):
        db["note"]


def test_a_change_id_is_applied_once(db, notes):
    first = notes.put({"n": 1}, change_id="0" * 32)
    again = notes.put({"n": 1}, change_id="0" * 32)
    assert (again.number, again.ids) == (first.number, first.ids) and len(notes) == 1


def test_patches_by_threads_are_all_there(notes):
    notes.put({"_id": "a"})

    def work(thread):
        for i in range(20):
            notes.patch("a", {f"f{thread}.{i}": i})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes["a"]) == 81


def test_documents_outlive_seals_and_reopening(tmp_path):
    with oto.open(tmp_path / "d.oto") as db:
        notes = db.collection("notes")
        notes.put([{"_id": f"{i:04}", "n": i} for i in range(3000)])
        notes.put({"_id": "0001", "n": -1})
        db.compact()
        notes.delete("0002")
    with oto.open(tmp_path / "d.oto") as db:
        notes = db["notes"]
        assert len(notes) == 2999 and notes["0001"]["n"] == -1 and "0002" not in notes
        assert db.at(1)["notes"]["0001"]["n"] == 1 and db.verify().ok
        assert sum(1 for _ in notes.find()) == 2999


def test_it_prints_itself(notes):
    assert repr(notes) == "Collection notes: 0 documents"
    notes.put([{"_id": f"{i}"} for i in range(7)])
    assert repr(notes).splitlines()[0] == "Collection notes: 7 documents"
    assert repr(notes).splitlines()[-1] == "…" and "document" in notes._repr_html_()
