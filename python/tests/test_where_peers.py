"""Random conditions beside SQLite, DuckDB, Polars and NumPy: the same rows, as text and as
expressions, over segments, a tail, ended rows, columns that came later, and an old commit.

OTOLITH_CONDITIONS is how many (300, or 20,000 where OTOLITH_LONG=1); OTOLITH_SEED where they begin.
"""

import os
import random

import numpy as np
import pytest

import otolith as oto
from condition_peers import DuckDbTable, NumPyTable, PolarsTable, SqliteTable, too_wide
from condition_words import HOUR, TEXTS, Generator, Python, Text

SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
LONG = os.environ.get("OTOLITH_LONG") == "1"
CONDITIONS = int(os.environ.get("OTOLITH_CONDITIONS", "20000" if LONG else "300"))
KINDS = {
    "a": "int", "b": "int", "n": "int", "x": "float", "y": "float", "s": "text", "r": "text",
    "flag": "bool", "time": "time", "seen": "time", "huge": "huge", "odd": "nan",
}  # fmt: skip
TYPES = {
    "a": "int64", "b": "int16", "n": "uint8", "x": "float64", "y": "float32", "s": "string",
    "r": "string", "flag": "bool", "seen": "timestamp", "huge": "int64", "odd": "float64",
}  # fmt: skip
BATCHES = [(1_200, 1_000), (150, 9_000), (500, 3), (40, 3)]  # rows, bytes of padding each


def some(random_, kind):
    """A value, in six of seven rows."""
    if random_.random() < 1 / 7:
        return None
    picks = {
        "a": lambda: random_.randrange(-12, 12), "b": lambda: random_.randrange(-300, 300),
        "n": lambda: random_.randrange(5), "x": lambda: random_.randrange(-48, 48) / 4,
        "y": lambda: random_.choice([0.0, 0.5, -0.5, 2.0, 1e6]),
        "s": lambda: random_.choice(TEXTS), "r": lambda: random_.choice(TEXTS[:6]),
        "flag": lambda: random_.random() < 0.5, "seen": lambda: random_.randrange(-9, 400) * HOUR,
        "huge": lambda: random_.choice([2**63 - 1, 1 - 2**63, 2**53 + 1, -5, 0, 7]),
        "odd": lambda: random_.choice([float("nan"), 0.0, -0.0, 1e300, 0.3, -2.5, 2.0**53]),
    }  # fmt: skip
    return picks[kind]()


class World:
    """A table, and its rows now and at an old commit as lists."""

    def __init__(self, db, random_):
        self.random = random_
        self.names = ["place", "time", *TYPES]
        self.rows = []
        self.table = db.create_table(
            "t", {"time": "timestamp", "place": "int64", "pad": "string", **TYPES},
            duplicates=random_.choice(["keep", "last"]),
        )  # fmt: skip
        self.append(*BATCHES[0])
        self.append(*BATCHES[1])
        self.old = db.at("HEAD")["t"]
        self.old_rows = list(self.rows)
        self.table.alter(add={"late": "int32"}, widen={"b": "int32"})
        self.names.append("late")
        self.rows = [{**row, "late": None} for row in self.rows]
        self.append(*BATCHES[2])
        self.table.delete(where=oto.col("place") % 7 == 3)
        self.rows = [row for row in self.rows if row["place"] % 7 != 3]
        self.append(*BATCHES[3])
        status = db.status()
        assert status.segment_bytes > 2**17 and status.tail_commits > 1

    def append(self, count, pad):
        first = self.rows[-1]["place"] + 1 if self.rows else 0
        rows = []
        for place in range(first, first + count):
            row = {name: some(self.random, name) for name in TYPES}
            row.update(place=place, time=place * HOUR // 5 + 7)
            if "late" in self.names:
                row["late"] = some(self.random, "b")
            rows.append(row)
        data = {name: stored([row[name] for row in rows], name) for name in self.names}
        self.table.append({**data, "pad": ["x" * pad] * count})
        self.rows += rows

    def states(self):
        kinds = {**KINDS, "late": "int"}
        yield self.table, columns_of(self.rows, self.names), kinds
        yield self.old, columns_of(self.old_rows, self.names[:-1]), KINDS


def stored(values, name):
    if name in ("time", "seen"):
        return np.array(
            [np.datetime64("NaT") if v is None else np.datetime64(v, "ns") for v in values]
        )
    null = np.array([value is None for value in values])
    if name in ("s", "r"):
        return np.array(values, object)
    fill = np.array([0 if value is None else value for value in values])
    return np.ma.MaskedArray(fill, mask=null)


def columns_of(rows, names):
    return {name: [row[name] for row in rows] for name in names}


def tame(columns, kinds):
    """What peers have too."""
    kept = {name: kind for name, kind in kinds.items() if kind not in ("huge", "nan")}
    return {name: columns[name] for name in ["place", *kept]}, kept


def check(table, node, want, told, random_):
    text = Text(random_)(node)
    told = f"{told}: {text}"
    try:
        assert table.read(where=text, columns=["place"])["place"].tolist() == want, told
        expression = Python()(node)
        assert table.read(where=expression, columns="place")["place"].tolist() == want, told
    except oto.LimitExceeded as error:
        assert too_wide(error), told


@pytest.fixture
def world(path):
    with oto.open(path) as db:
        yield World(db, random.Random(SEED))


def tables_of(columns, kinds):
    """Peers that are installed."""
    out = {"sqlite": SqliteTable(columns), "numpy": NumPyTable(columns)}
    try:
        import polars

        out["polars"] = PolarsTable(polars, columns, kinds)
    except ImportError:
        pass
    try:
        import duckdb

        out["duckdb"] = DuckDbTable(duckdb, columns, kinds)
    except ImportError:
        pass
    return out


def test_conditions_select_what_they_select_in_sqlite_polars_duckdb_and_numpy(world):
    hits = 0
    for state, (table, columns, kinds) in enumerate(world.states()):
        columns, kinds = tame(columns, kinds)
        peers = tables_of(columns, kinds)
        for number in range(CONDITIONS // 2):
            seed = f"{SEED}-{state}-{number}"
            random_ = random.Random(seed)
            node = Generator(random_, kinds, wild=False).condition(random_.randrange(4))
            answers = {name: peer.places(node) for name, peer in peers.items()}
            want = answers["sqlite"]
            told = f"condition {seed} ({node!r})"
            for name, got in answers.items():
                assert got == want, f"{name} and sqlite differ: {told}"
            check(table, node, want, told, random_)
            hits += len(want)
    assert hits > 100 * CONDITIONS


def test_conditions_over_nan_zeros_and_large_integers_select_what_numpy_selects(world):
    for state, (table, columns, kinds) in enumerate(world.states()):
        peer = NumPyTable(columns)
        for number in range(CONDITIONS // 4):
            seed = f"{SEED}-wild-{state}-{number}"
            random_ = random.Random(seed)
            node = Generator(random_, kinds, wild=True).condition(random_.randrange(4))
            check(table, node, peer.places(node), f"condition {seed} ({node!r})", random_)


def test_a_delete_ends_what_its_condition_selects(path):
    for number in range(max(4, CONDITIONS // 100)):
        random_ = random.Random(f"{SEED}-delete-{number}")
        with oto.open(f"{path}-{number}") as db:
            world = World(db, random_)
            columns = columns_of(world.rows, world.names)
            kinds = {**KINDS, "late": "int"}
            node = Generator(random_, kinds, wild=True).condition(2)
            gone = set(NumPyTable(columns).places(node))
            text = Text(random_)(node)
            try:
                world.table.delete(where=text)
            except oto.LimitExceeded as error:
                assert too_wide(error)
                continue
            want = [place for place in columns["place"] if place not in gone]
            assert world.table.read()["place"].tolist() == want, text
