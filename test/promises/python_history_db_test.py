"""What Python History DB promised: a warehouse of JSON documents by date, asked without SQL."""

import collections
import json

import pytest

import otolith as oto


@pytest.fixture
def visits(tmp_path):
    with oto.open(tmp_path / "warehouse.oto", author="ana") as db:
        found = db.collection("visits", time="at")
        found.put(
            {"_id": f"v{i:03}", "at": f"2026-01-{i % 28 + 1:02}", "page": f"/{i % 4}", "ms": i}
            for i in range(200)
        )
        yield found


def test_json_comes_back_as_it_was(visits):
    text = (
        '{"_id": "x", "at": "2026-02-01", "n": 1, "f": 1.0, "z": -0.0, '
        '"deep": [{"a": [null, true]}]}'
    )
    visits.put(json.loads(text))
    assert json.dumps(visits["x"]) == text


def test_documents_are_found_by_date(visits):
    found = list(visits.find("2026-01-05", "2026-01-07"))
    assert {visit["at"] for visit in found} == {"2026-01-05", "2026-01-06"}
    assert len(found) == 14  # of 200 over 28 days


def test_find_filter_map_and_reduce_go_document_by_document(visits):
    slow = visits.find(where="ms >= 100 and page in ('/1', '/2')")
    by_page = collections.Counter()
    for page, ms in ((visit["page"], visit["ms"]) for visit in slow):  # mapped as they come
        by_page[page] += ms
    assert by_page == {
        page: sum(i for i in range(100, 200) if f"/{i % 4}" == page) for page in ("/1", "/2")
    }


def test_nothing_is_read_before_it_is_asked_for_and_the_state_stays(visits):
    found = visits.find()
    first = next(found)
    visits.delete(where="ms >= 0")
    assert len(visits) == 0
    assert [first, *found] == list(visits.find()) + [first, *_all_of_before()]


def _all_of_before():
    return [
        {"_id": f"v{i:03}", "at": f"2026-01-{i % 28 + 1:02}", "page": f"/{i % 4}", "ms": i}
        for i in range(1, 200)
    ]
