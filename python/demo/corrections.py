"""The demo's second half: documents beside the flights, and a wrong correction that is undone.

Airlines, airports and planes become documents. Then somebody corrects what was right, in one
commit over a table and a collection; the demo shows what that commit did and whose it is, takes it
back, takes that back as well, and reads the old states again after the files were compacted.
"""

import hashlib
import time

import otolith as oto

CORRECTION = hashlib.md5(b"a wrong correction").hexdigest()  # a change id: it is made once
IDS = {
    "airlines": "carrier",
    "airports": "faa",
    "planes": "tailnum",
}  # files, and the field that is the id


def documents(columns, id_field):
    """Columns of text as documents: NA is left out, a column of numbers becomes numbers."""
    typed = {name: _values(text) for name, text in columns.items()}
    ids = typed.pop(id_field)
    return [
        {"_id": str(id_), **{name: values[i] for name, values in typed.items() if values[i] != ""}}
        for i, id_ in enumerate(ids)
    ]


def _values(text):
    """A column as ints, as floats, or as it is; '' where there is no value."""
    text = ["" if value == "NA" else value for value in text]
    for number in (int, float):
        try:
            return [number(value) if value else "" for value in text]
        except ValueError:
            pass
    return text


def put_documents(db, collections):
    """All collections in one commit; nothing where they are there already as they are."""
    for name in collections:
        db.collection(name)
    with db.recorder(message="airlines, airports and planes") as recorder:
        for name, found in collections.items():
            recorder[name].put(found)
    return recorder.result


def show_documents(db):
    """One document as it is stored, and a question that crosses a collection and a table."""
    _head("documents beside the flights")
    print(db["airports"].get("JFK"))
    large = db["planes"].find(where="seats >= 400 and manufacturer == 'BOEING'")
    tails = sorted(plane["_id"] for plane in large)
    seen = set(db["flights"].read(columns=["tailnum"])["tailnum"])
    print(f"Boeings of 400 seats or more: {len(tails)}, of which {len(seen & set(tails))} flew")


def correct_wrongly(path):
    """The correction: of a document, and of the rows that somebody took for mistakes."""
    with oto.open(path, author="trainee") as db:
        return _correct(db.recorder(message="cleaned up", change_id=CORRECTION))


def _correct(recorder):
    with recorder:
        recorder["airports"].patch("JFK", {"tz": -8, "tzone": "America/Los_Angeles"})
        recorder["flights"].delete(where="dep_delay is null")  # but those were cancelled flights
    return recorder.result


def show_undo(db, path):
    """A mistake is made, looked at, taken back, and had again for a moment; once."""
    _head("a mistake, and back")
    if any(commit.change_id == CORRECTION for commit in db.log()):
        return _say("it was made and undone before: db.log() tells")
    before, flights = db.head, len(db["flights"])
    wrong = correct_wrongly(path)
    _say(f"somebody commits: {wrong}")
    print(db.diff(before, wrong))
    for change in db.diff(before, wrong)["airports"].changed:
        print(change)
    _say("who set what in JFK? db.blame('airports', 'JFK'):")
    for of in db.blame("airports", "JFK"):
        print(
            f"   {of.path:6} {of.value!s:20} commit {of.commit.number} by {of.author}: {of.message}"
        )

    undone = _timed("db.rollback", lambda: db.rollback(before, message="they were cancelled"))
    _check(db, flights, -5)
    again = _timed("db.revert", lambda: db.revert(undone, message="were they?"))
    _check(db, len(db.at(wrong)["flights"]), -8)
    _timed("db.revert", lambda: db.revert(again, message="they were"))
    _check(db, flights, -5)

    _say("nothing was lost on the way, also not by moving all into new files: db.compact()")
    print(db.compact())
    old = db.at(wrong)
    print(f"as of commit {wrong.number}: {len(old['flights']):,} flights, "
          f"JFK has tz {old['airports']['JFK']['tz']}")  # fmt: skip
    print(db.log(limit=5))


def _timed(verb, work):
    began = time.perf_counter()
    commit = work()
    _say(f"{verb} took {(time.perf_counter() - began) * 1e3:.1f} ms: {commit}")
    return commit


def _check(db, flights, zone):
    """What is shown now; the demo ends where it is not what it should be."""
    shown = len(db["flights"]), db["airports"]["JFK"]["tz"]
    assert shown == (flights, zone), shown
    print(f"now {flights:,} flights are shown, and JFK has tz {zone}")


def _say(text):
    print(f"-- {text}", flush=True)


def _head(text):
    print(f"\n== {text}", flush=True)
