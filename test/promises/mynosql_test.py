"""What mynosql promised, as far as one machine goes: versioned records in small files.

Replicas, queues of unsent writes and their resumption come with synchronisation.
"""

import pytest

import otolith as oto


@pytest.fixture
def records(tmp_path):
    with oto.open(tmp_path / "records.oto", author="ana") as db:
        yield db.collection("records")


def test_a_record_that_somebody_changed_meanwhile_is_not_overwritten(records):
    records.put({"_id": "r", "n": 1})
    read = records.entry("r")
    records.put({"_id": "r", "n": 2}, author="ben")
    with pytest.raises(oto.Conflict):
        records.put({"_id": "r", "n": 3}, if_revision=read.revision)
    records.put({"_id": "r", "n": 3}, if_revision=records.entry("r").revision)
    assert [of.document["n"] for of in records.revisions("r")] == [3, 2, 1]


def test_a_write_sent_twice_is_made_once(records):
    sent = "0" * 31 + "7"
    first = records.put({"_id": "r", "n": 1}, change_id=sent)
    records.delete("r")
    assert records.put({"_id": "r", "n": 1}, change_id=sent) == first
    assert "r" not in records


def test_records_are_stored_compressed(records, tmp_path):
    text = "the same words again and again "
    records.put({"_id": f"r{i}", "text": f"{i} {text * 20}"} for i in range(2000))
    with oto.open(tmp_path / "records.oto") as db:
        db.compact()
        size = db.status().datasets["records"].segment_bytes
    assert size < 2000 * len(text) * 20 / 5
    assert records["r7"]["text"] == f"7 {text * 20}"
