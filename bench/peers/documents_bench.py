"""documents: one document by its id, as a dict, wherever it stands.

    python bench/peers/documents_bench.py all FOLDER [SHARE]

LMDB and SQLite keep a document as JSON under its id, which json.loads makes a dict of; DuckDB has
it as JSON text beside an index. Ids are put in any order and asked for in another. `SHARE` (1)
scales the number of documents down.
"""

from __future__ import annotations

import json
import pathlib
import random
import shutil
import sqlite3
import sys
import time

import otolith as oto
from turns import Figures, Side

DOCUMENTS, COMMITS, TAIL = 200_000, 16, 2_000
ROUNDS, GETS = 20, 500
NAMES = ("Ana", "Ben", "Chiara", "Dorte", "Emre", "Farah", "Goran")
CITIES = ("Oslo", "Rome", "Lima", "Kyoto", "Accra", "Quito")
WORDS = "late order paid again never north river green seven glass stone paper".split()


def document(number, rng):
    """Some 400 bytes, as an application keeps of a user."""
    name = rng.choice(NAMES)
    return {
        "_id": f"user-{number * 7919:010}",
        "name": name,
        "email": f"{name}.{number}@example.org",
        "age": rng.randrange(18, 88),
        "score": round(rng.random() * 100, 3),
        "address": {"city": rng.choice(CITIES), "street": f"{rng.choice(WORDS)} street"},
        "active": rng.random() < 0.5,
        "tags": rng.choices(WORDS, k=3),
        "visits": [rng.randrange(1000) for _ in range(3)],
        "note": " ".join(rng.choices(WORDS, k=20)),
        "key": f"{rng.getrandbits(64):016x}",
    }


def ours(folder, name, parts):
    """Gets of a collection of these commits: of HEAD, and of the newest of them."""
    db = oto.open(folder / f"{name}.oto")
    users = db.collection("users")
    for part in parts:
        users.put(part)
    return users.get, db.at("HEAD").collection("users").get


def of_lmdb(folder, documents):
    import lmdb

    env = lmdb.open(str(folder / "lmdb"), map_size=1 << 32)
    with env.begin(write=True) as txn:
        for one in documents:
            txn.put(one["_id"].encode(), json.dumps(one).encode())

    def get(id):
        with env.begin(buffers=True) as txn:
            return json.loads(bytes(txn.get(id.encode())))

    return get


def of_sqlite(folder, documents):
    sql = sqlite3.connect(folder / "documents.sqlite")
    sql.execute("create table d (id text primary key, body text) without rowid")
    rows = ((one["_id"], json.dumps(one)) for one in documents)
    sql.executemany("insert into d values (?, ?)", rows)
    sql.commit()
    ask = "select body from d where id = ?"
    return lambda id: json.loads(sql.execute(ask, (id,)).fetchone()[0])


def of_duckdb(folder, documents):
    import duckdb
    import pyarrow

    con = duckdb.connect(str(folder / "documents.duckdb"))
    con.execute("create table d (id varchar primary key, body varchar)")
    columns = {
        "id": [one["_id"] for one in documents],
        "body": [json.dumps(one) for one in documents],
    }
    con.register("given", pyarrow.table(columns))
    con.execute("insert into d select * from given")
    ask = "select body from d where id = ?"
    return lambda id: json.loads(con.execute(ask, [id]).fetchone()[0])


def each(get, ids):
    """Seconds of each get, and all documents."""
    taken, found = [], []
    for id in ids:
        begin = time.perf_counter()
        one = get(id)
        taken.append(time.perf_counter() - begin)
        found.append(one)
    return taken, found


def main():
    folder = pathlib.Path(sys.argv[2]) / "documents"
    share = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures = Figures("documents")
    rng = random.Random(1)
    documents = [document(number, rng) for number in range(max(COMMITS, int(DOCUMENTS * share)))]
    rng.shuffle(documents)
    size = f"{len(documents):,} documents of some 400 bytes"
    figures.versions(f"SQLite {sqlite3.sqlite_version}", size)
    parts = [documents[part::COMMITS] for part in range(COMMITS)]
    live, of_commit = ours(folder, "one", [documents])
    live_many, of_commit_many = ours(folder, "many", parts)
    gets = {
        "otolith": live,
        f"otolith, {COMMITS} segments": live_many,
        "otolith, of a commit": of_commit,
        f"otolith, of a commit, {COMMITS} segments": of_commit_many,
    }
    for name, make in (("LMDB", of_lmdb), ("SQLite", of_sqlite), ("DuckDB", of_duckdb)):
        try:
            gets[name] = make(folder, documents)
        except ImportError as missing:
            figures.absent("13", "13 get a document by id", name, str(missing))
    ids = [rng.choice(documents)["_id"] for _ in range(GETS)]
    for get in gets.values():
        each(get, [one["_id"] for one in documents[::16]])  # what is read first has been
    sides = [Side(name, lambda get=get: each(get, ids), itself=True) for name, get in gets.items()]
    figures.turns(
        "13",
        "13 get a document by id",
        sides,
        lambda found: {one["_id"]: one for one in found},
        ROUNDS,
    )
    tail = documents[:TAIL]
    get, _ = ours(folder, "tail", [tail[part::4] for part in range(4)])
    asked = [one["_id"] for one in tail]
    figures.turns("13 tail", "13 get a document by id out of the tail",
                  [Side("otolith", lambda: each(get, asked), itself=True)], rounds=5)  # fmt: skip
    stored = sum(f.stat().st_size for f in (folder / "one.oto" / "segments").rglob("*.seg"))
    figures.value("13 disk", "bytes of a document", "otolith", stored / len(documents), "bytes")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
