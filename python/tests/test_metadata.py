"""What is noted of a database: `db.alter(metadata=)` and `db.metadata`."""

import pytest

import otolith as oto
from conftest import rows


def test_metadata_are_a_commit_with_history(path):
    with oto.open(path, author="ana") as db:
        assert db.metadata == {}
        c = db.alter(metadata={"owner": "x", "old": "y"}, message="who", extra={"ticket": 7})
        assert (c.number, c.author, c.message, c.changes) == (1, "ana", "who", {})
        assert c == db.head and db.datasets() == [] and list(db) == []
        assert db.alter(metadata={"owner": "x"}) == c  # changes nothing
        db.alter(metadata={"owner": "z", "old": None}, author="bo")
        assert db.metadata == {"owner": "z"}
        assert db.at(c).metadata == {"owner": "x", "old": "y"} and db.at(0).metadata == {}
        with pytest.raises(oto.InvalidArgument, match="never changes"):
            db.at(c).alter(metadata={"owner": "x"})
    with oto.open(path, read_only=True) as db:
        assert db.metadata == {"owner": "z"} and db.at("HEAD~1").metadata["old"] == "y"
        with pytest.raises(oto.InvalidArgument, match="read-only"):
            db.alter(metadata={"owner": "x"})
        assert db.verify().ok and db.status().datasets == {}


def test_metadata_beside_tables(db, quotes):
    quotes.append(rows(2))
    db.alter(metadata={"owner": "x"})
    quotes.append(rows(2))
    db.compact()
    assert db.datasets() == ["quotes"] and len(quotes) == 4 and db.metadata == {"owner": "x"}
    with pytest.raises(oto.NotFound, match="no dataset was ever named"):
        db.log(dataset="\x01database")  # where they are kept is no dataset of users
    with db.recorder() as r:
        r["quotes"].append(rows(1))
        db.alter(metadata={"owner": "y"})
    assert db.metadata == {"owner": "y"} and len(quotes) == 5 and db.verify().ok


def test_what_is_no_metadata_is_refused(db):
    for wrong in (5, {"owner": 5}, {5: "x"}, [("owner", "x")]):
        with pytest.raises(oto.InvalidArgument):
            db.alter(metadata=wrong)
    with pytest.raises(TypeError):
        db.alter()
    assert db.head.number == 0


def test_a_retry_returns_the_commit_that_won(db):
    won = db.alter(metadata={"owner": "x"}, change_id="ab" * 16)
    db.alter(metadata={"owner": "y"})
    assert db.alter(metadata={"owner": "x"}, change_id="ab" * 16) == won
    with pytest.raises(oto.Conflict, match="change id"):
        db.alter(metadata={"owner": "z"}, change_id="ab" * 16)
    assert db.metadata == {"owner": "y"}


def test_two_processes_note_one_after_the_other(path):
    with oto.open(path) as one, oto.open(path) as two:
        one.alter(metadata={"a": "1"})
        two.alter(metadata={"b": "2"})
        assert one.metadata == two.metadata == {"a": "1", "b": "2"}
