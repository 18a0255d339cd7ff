"""Random conditions on documents of mixed types beside SQLite's JSON functions.

OTOLITH_CONDITIONS is how many (1,000, or 50,000 where OTOLITH_LONG=1); OTOLITH_SEED where they
begin.
"""

import datetime as dt
import decimal
import json
import os
import random
import sqlite3

import numpy as np
import pytest

import otolith as oto
from condition_peers import Sql, SqliteTable
from condition_words import HOUR, TEXTS, Generator, Python, Text
from otolith import _core
from otolith.document_values import pack
from otolith.document_where import document_condition
from otolith.times import zone_of

SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
LONG = os.environ.get("OTOLITH_LONG") == "1"
CONDITIONS = int(os.environ.get("OTOLITH_CONDITIONS", "50000" if LONG else "1000"))
# By the type that a condition asks for; a document may have any other there.
KINDS = {
    "a": "int", "b": "int", "user.n": "int", "list.1": "int", "f": "float", "user.f": "float",
    "s": "text", "t": "text", "user.city": "text", "list.0": "text", "flag": "bool",
    "user.on": "bool", "_time": "time",
}  # fmt: skip


def some(random_, kind, others=0.3):
    """Mostly of the kind."""
    if random_.random() < others:
        kind = random_.choice(["int", "float", "text", "bool", "null", "array", "map"])
    return {
        "int": lambda: random_.randrange(-12, 12),
        "float": lambda: random_.randrange(-48, 48) / 4,
        "text": lambda: random_.choice(TEXTS),
        "bool": lambda: random_.random() < 0.5,
        "null": lambda: None,
        "array": lambda: [some(random_, "int")],
        "map": lambda: {"n": 1, "city": "a"},
    }[kind]()


def some_document(random_, others=0.3):
    document = {name: some(random_, kind, others) for name, kind in KINDS.items()
                if "." not in name and name != "_time" and random_.random() < 0.9}  # fmt: skip
    if random_.random() < 0.9:
        document["user"] = {
            "n": some(random_, "int", others), "f": some(random_, "float", others),
            "city": some(random_, "text", others), "on": some(random_, "bool", others),
        }  # fmt: skip
    kinds = ["text", "int", "bool"][: random_.randrange(4)]
    document["list"] = [some(random_, kind) for kind in kinds]
    fields = list(document.items())
    random_.shuffle(fields)
    return dict(fields)


class Documents(Generator):
    """Trees that mean the same there: SQLite has no times in JSON, rounds and casts otherwise."""

    def condition(self, depth):
        node = super().condition(depth)
        twice = node[0] == "not" and node[1][0] == "not"
        return node[1][1] if twice else node  # ~~x is x in Python, also where x is no boolean

    def text(self, depth):
        node = super().text(depth)
        return ("column", self.pick("text")) if node[0] == "to text" else node

    def number(self, depth):
        node = super().number(depth)
        while node[0] in ("to int", "truncate", "//", "%"):
            node = super().number(depth)
        return node


class Words(Text):
    def column(self, name):
        return f'"{name}"' if name.startswith("list") else super().column(name)


class JsonSql(Sql):
    """A value of another type than is asked for is null."""

    TYPES = {"int": "'integer', 'real'", "float": "'integer', 'real'", "text": "'text'",
             "bool": "'true', 'false'"}  # fmt: skip

    @staticmethod
    def path(name):
        steps = (f"[{step}]" if step.isdigit() else f".{step}" for step in name.split("."))
        return "'$" + "".join(steps) + "'"

    def column(self, name):
        return "time" if name == "_time" else self.of(name, KINDS[name])

    def of(self, name, kind):
        path = self.path(name)
        return (f"(CASE WHEN json_type(body, {path}) IN ({self.TYPES[kind]}) "
                f"THEN json_extract(body, {path}) END)")  # fmt: skip

    def compare(self, sign, a, b):
        columns = [node[1] for node in (a, b) if node[0] == "column"]
        if len(columns) < 2 or "_time" in columns:
            return super().compare(sign, a, b)
        kinds = [[self.of(name, kind) for name in columns] for kind in ("int", "text", "bool")]
        return "coalesce(" + ", ".join(f"({x} {sign} {y})" for x, y in kinds) + ")"

    def between(self, a, low, high):
        return f"({self.compare('>=', a, low)} AND {self.compare('<=', a, high)})"

    def is_null(self, a, inverse):
        if a[0] != "column" or a[1] == "_time":
            return super().is_null(a, inverse)
        found = f"coalesce(json_type(body, {self.path(a[1])}), 'null')"
        return f"({found} {'<>' if inverse else '='} 'null')"

    def apart(self, a, b):
        return "(time - time)"


class JsonTable(SqliteTable):
    def places(self, node):
        query = f"SELECT place FROM t WHERE {JsonSql()(node)} ORDER BY place"
        return [place for (place,) in self._connection.execute(query)]


def test_conditions_on_documents_hold_where_they_hold_in_sqlite():
    assert sqlite3.sqlite_version_info > (3, 38)
    random_ = random.Random(SEED)
    texts = [json.dumps(some_document(random_)) for _ in range(150)]
    times = [random_.randrange(400) * HOUR // 7 for _ in texts]
    bodies = [_core.document_from_json(text) for text in texts]
    peer = JsonTable({"place": list(range(len(texts))), "time": times, "body": texts})
    hits = 0
    for number in range(CONDITIONS):
        seed = f"{SEED}-{number}"
        random_ = random.Random(seed)
        node = Documents(random_, KINDS, wild=False).condition(random_.randrange(4))
        text = Words(random_)(node)
        want = peer.places(node)
        for form in (text, Python()(node)):
            where = _core.DocumentCondition(document_condition(form))
            got = [i for i, body in enumerate(bodies) if where.holds("id", times[i], body)]
            differs = [texts[i] for i in sorted(set(got) ^ set(want))][:1]
            assert got == want, f"condition {seed}: {text} {differs}"
        hits += len(want)
    assert hits > 20 * CONDITIONS


def stored(path, texts, times, random_):
    """A collection of them: sealed, joined and sealed again, and some still in the log."""
    db = oto.open(path)
    made = db.collection("made", time="at", unit="ns")
    documents = [
        {"_id": f"{i:05}", "at": time, **json.loads(text), "fill": ["x" * random_.randrange(300)]}
        for i, (text, time) in enumerate(zip(texts, times))
    ]
    for part in (documents[::3], documents[1::3]):
        made.put(part)
        db.compact()
    made.put(documents[2::3])
    return made


def test_conditions_find_in_segments_what_they_find_in_sqlite(tmp_path):
    random_ = random.Random(SEED)
    texts = [json.dumps(some_document(random_, others=0.03)) for _ in range(600)]
    times = [random_.randrange(400) * HOUR // 7 for _ in texts]
    made = stored(tmp_path / "made.oto", texts, times, random_)
    segments = oto.inspect(tmp_path / "made.oto").segments
    names = {column.name for segment in segments for column in segment.columns}
    assert {"(at)", "(a)", "(user.n)", "(user.city)", "(flag)"} <= names
    peer = JsonTable({"place": list(range(len(texts))), "time": times, "body": texts})
    hits = 0
    for number in range(CONDITIONS // 4):
        seed = f"{SEED}-stored-{number}"
        random_ = random.Random(seed)
        node = Documents(random_, KINDS, wild=False).condition(random_.randrange(4))
        want = peer.places(node)
        text = Words(random_)(node)
        got = [int(found["_id"]) for found in made.find(where=text)]
        assert got == want, f"condition {seed}: {text} {sorted(set(got) ^ set(want))[:3]}"
        hits += len(want)
    assert hits > 5 * CONDITIONS


def holds(where, document, zone=None):
    body = pack(document)
    return _core.DocumentCondition(document_condition(where, zone)).holds("id", 7, body)


def test_conditions_ask_for_their_paths_once_each():
    where = document_condition("b.c > 1 and (a = 'x' or b.c < a)")
    assert _core.DocumentCondition(where).paths == ["b.c", "a"]


x = oto.col("x")
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (x == 2**64 - 1, 2**64 - 1),
        (x < 2**70, 2**64 - 1),
        (x == decimal.Decimal("0.5"), 0.5),
        (x > decimal.Decimal("1.5"), 2),
        (x == b"\xff", b"\xff"),
        (x == "é", "é"),
        (x.isin([1, "a", None, 2.5][:2]), "a"),
        (x == True, True),  # noqa: E712
        (x == NOON, NOON),
        (x == NOON.replace(tzinfo=None), NOON),
        (x > np.datetime64("2026-01-05"), NOON),
        (x.between(NOON, NOON + dt.timedelta(hours=1)), NOON),
        (x.isin([NOON]), NOON),
        (x >= "2026-01-05T12:00", NOON),
        (x - np.datetime64("2026-01-05") == dt.timedelta(hours=12), NOON),
        (x.dt.hour() == 12, NOON),
        (x == np.float32(0.5), 0.5),
        (x + 1 == 2, 1.0),
        (x.str.len() == 2, "ab"),
        (oto.col("y").is_null(), 1),
    ],
)
def test_constants_of_python_are_compared_by_what_the_document_holds(where, value):
    assert holds(where, {"x": value})
    assert not holds(~where, {"x": value})
    if "y" not in repr(where):
        for other in (None, [], {}, [value]):
            assert not holds(where, {"x": other}) and not holds(~where, {"x": other})


def test_naive_times_are_of_the_zone():
    paris = zone_of("Europe/Paris")
    assert holds(x == dt.datetime(2026, 1, 5, 13), {"x": NOON}, paris)


@pytest.mark.parametrize("where", [5, None, len, x + 1, x.isin([NOON, 1]), x == object()])
def test_what_is_no_condition_is_refused(where):
    with pytest.raises(oto.InvalidArgument, match="where"):
        holds(where, {"x": 1})
