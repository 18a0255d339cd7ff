"""asof: the last row of each key at or before a time, against brute force."""

import os
import random

import numpy as np
import pytest

import otolith as oto

SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
DAY = 86_400 * 10**9


def last_of_each(rows, at, keys, names):
    """By hand, of rows as dicts in the order of `read`."""
    found = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        if row["time"] <= at and all(row[name] in wanted for name, wanted in keys.items()):
            found[key] = row
    return [found[key] for key in sorted(found)]


@pytest.mark.parametrize("duplicates", ["keep", "last", "first"])
@pytest.mark.parametrize("names", [[], ["symbol"], ["symbol", "venue"]])
def test_random_histories_agree_with_brute_force(tmp_path, duplicates, names):
    rng = random.Random(f"{SEED} {duplicates} {names}")
    columns = {"time": "timestamp", "symbol": "string", "venue": "int8", "n": "int64"}
    with oto.open(tmp_path / "a.oto") as db:
        t = db.create_table("t", columns, keys=names, duplicates=duplicates)
        for step in range(40):
            count = rng.choice([1, 5, 40, 60_000 if step % 13 == 3 else 7])  # some beyond the tail
            t.append(
                {
                    "time": [rng.randrange(12) * DAY // 3 for _ in range(count)],
                    "symbol": [rng.choice(["A", "B", "", "long symbol"]) for _ in range(count)],
                    "venue": [rng.randrange(-1, 2) for _ in range(count)],
                    "n": [step * 100_000 + i for i in range(count)],
                }
            )
            if step % 5 == 4:
                start = rng.randrange(4) * DAY
                t.delete(start, start + DAY // 2, where=oto.col("venue") == rng.randrange(-1, 2))
            if step % 11 == 10:
                db.compact()
        for _ in range(12):
            seen = db.at(rng.randrange(2, db.head.number + 1))["t"]
            rows = seen.read().to_pylist(times="ns")
            for _ in range(4):
                at = rng.randrange(-1, 14) * DAY // 3 + rng.choice([-1, 0, 1])
                keys = {
                    name: rng.sample(["A", "B", "", "x"] if name == "symbol" else [-1, 0, 1], 2)
                    for name in names
                    if rng.random() < 0.6
                }
                asked = seen.asof(at, keys or None).to_pylist(times="ns")
                assert asked == last_of_each(rows, at, keys, names), (at, keys)


def test_a_recorder_sees_what_it_staged(db):
    t = db.create_table("t", {"time": "timestamp", "k": "int8", "n": "int8"}, keys=["k"])
    t.append({"time": [1, 2], "k": [1, 2], "n": [1, 2]})
    with db.recorder() as r:
        r["t"].append({"time": 3, "k": 1, "n": 3})
        r["t"].delete(keys={"k": 2})
        assert r["t"].asof(3)["n"].tolist() == [3]
        assert r["t"].asof(2, {"k": 1}, columns="n")["n"].tolist() == [1]
        r.discard()
    assert t.asof(3)["n"].tolist() == [1, 2]


def test_times_and_columns_as_in_read(db):
    t = db.create_table("t", {"time": "timestamp", "k": "string", "n": "int8"}, keys=["k"])
    t.append({"time": ["2026-07-01T10:00", "2026-07-01T12:00"], "k": ["a", "a"], "n": [1, 2]})
    assert t.asof("2026-07-01T12:30", timezone="Europe/Paris")["n"].tolist() == [1]
    assert t.asof(np.datetime64("2026-07-01T12:00"), columns=["n", "k"]).columns == ["n", "k"]
    assert len(t.asof("2026-07-01T09:59")) == 0 and len(t.asof("2030-01-01", {"k": "b"})) == 0
    with pytest.raises(oto.InvalidArgument, match="did you mean"):
        t.asof(0, columns=["kk", "n"])
    with pytest.raises(oto.InvalidArgument, match='"n" is no key of this table'):
        t.asof(0, {"n": 1})
    with pytest.raises(oto.InvalidArgument, match="None is no time"):
        t.asof(None)
