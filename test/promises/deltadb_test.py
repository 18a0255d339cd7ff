"""What deltadb promised: documents whose history is not optional.

Users, encryption, the server and client libraries come with the server.
"""

import pytest

import otolith as oto


@pytest.fixture
def db(tmp_path):
    with oto.open(tmp_path / "app.oto", author="ana") as opened:
        opened.collection("users").put([{"_id": "u1", "name": "Uma"}, {"_id": "u2", "name": "Ole"}])
        opened.collection("posts").put({"_id": "p1", "text": "hello", "by": "u1"})
        yield opened


def shown(db):
    return {name: list(db[name].find()) for name in ("users", "posts")}


def test_each_change_has_an_author_a_message_and_the_one_before(db):
    db["users"].patch("u1", {"name": "Una"}, author="ben", message="a typing error")
    newest, before = list(db.log(limit=2))
    assert (newest.author, newest.message) == ("ben", "a typing error")
    assert newest.parent == before.hash and newest.changes == {"users": (1, 1)}


def test_every_old_state_is_read_like_the_newest(db):
    states = [shown(db)]
    for i in range(20):
        db["posts"].put({"_id": f"p{i % 5}", "text": f"{i}"})
        states.append(shown(db))
    db.compact()
    assert [shown(db.at(2 + i)) for i in range(21)] == states


def test_one_document_goes_back_and_the_others_stay(db):
    good = db.head
    db["users"].put([{"_id": "u1", "name": "X"}, {"_id": "u2", "name": "Y"}])
    db.rollback(good, dataset="users", ids=["u1"], message="only u1")
    assert [user["name"] for user in db["users"].find()] == ["Uma", "Y"]


def test_one_collection_goes_back_and_the_others_stay(db):
    good = db.head
    db["users"].delete("u1")
    db["posts"].patch("p1", {"text": "changed"})
    db.rollback(good, dataset="users")
    assert "u1" in db["users"] and db["posts"]["p1"]["text"] == "changed"


def test_all_goes_back_and_the_rollback_goes_back_too(db):
    before, good = shown(db), db.head
    db["users"].delete(["u1", "u2"])
    db["posts"].delete("p1")
    wrong = shown(db)
    undone = db.rollback(good, author="eve", message="back")
    assert shown(db) == before
    assert undone.number == 5 and list(db.log(limit=1))[0].author == "eve"
    db.revert(undone)
    assert shown(db) == wrong
    assert len(list(db.log())) == 6  # nothing was taken out of the history
