"""Durable commits of 10 rows x 5 columns from Python, beside the disk, SQLite, LMDB and DuckDB.

    python bench/writes/commits_bench.py all FOLDER [ROUNDS]

Sides take turns in one process, so that a busy moment of the disk hits all of them. Each waits for
the disk at each commit, which is what an acknowledged commit of Otolith promises: SQLite keeps a
write-ahead log and syncs it (journal_mode=WAL, synchronous=FULL), LMDB syncs its pages (sync=True,
its default), DuckDB its log. At the end every side must have all rows.
"""

import importlib
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import struct
import sys
import time

import numpy as np

import otolith as oto

ROUNDS = 40
PER_ROUND = 25
ROWS = 10
VALUES = "abcd"
PROBE_BYTES = 1024
PROBE_FILE_BYTES = 64 << 20


class Probe:
    """Appends to a file of zeros written beforehand: the least that a commit can cost."""

    side = "probe from Python: 1 KiB append and fdatasync"

    def __init__(self, folder):
        self.file = os.open(folder / "probe.bin", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.pwrite(self.file, bytes(PROBE_FILE_BYTES), 0)
        os.fsync(self.file)
        self.at = 0

    def rows(self, first):
        return bytes([first % 256]) * PROBE_BYTES

    def commit(self, rows):
        os.pwrite(self.file, rows, self.at)
        os.fdatasync(self.file)
        self.at += len(rows)

    def stored(self):
        return None


class Otolith:
    side = "otolith from Python, one committer"

    def __init__(self, folder):
        self.db = oto.open(folder / "commits_py.oto")
        columns = {"time": oto.timestamp, **{name: oto.float64 for name in VALUES}}
        self.table = self.db.create_table("series", columns)

    def rows(self, first):
        values = np.arange(float(ROWS))
        return {
            "time": np.arange(first, first + ROWS).astype("datetime64[ns]"),
            **{name: values for name in VALUES},
        }

    def commit(self, rows):
        self.table.append(rows)

    def stored(self):
        return len(self.table.read()), float(self.table.read()["a"].sum())


class Sqlite:
    side = "SQLite (WAL, synchronous=FULL) from Python"

    def __init__(self, folder):
        self.db = sqlite3.connect(folder / "commits.sqlite", isolation_level=None)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=full")
        self.db.execute("create table series (time integer, a real, b real, c real, d real)")

    def rows(self, first):
        return [(first + row, *(float(row) for _ in VALUES)) for row in range(ROWS)]

    def commit(self, rows):
        self.db.execute("begin")
        self.db.executemany("insert into series values (?, ?, ?, ?, ?)", rows)
        self.db.execute("commit")

    def stored(self):
        return self.db.execute("select count(*), sum(a) from series").fetchone()


class Lmdb:
    """A row a key: its time, biggest byte first, and four doubles."""

    side = "LMDB (sync) from Python"
    package = "lmdb"

    def __init__(self, folder):
        import lmdb

        self.db = lmdb.open(str(folder / "commits.lmdb"), map_size=1 << 30, sync=True)

    def rows(self, first):
        values = [[float(row)] * len(VALUES) for row in range(ROWS)]
        return [
            (struct.pack(">q", first + i), struct.pack("<4d", *v)) for i, v in enumerate(values)
        ]

    def commit(self, rows):
        with self.db.begin(write=True) as transaction:
            transaction.cursor().putmulti(rows)

    def stored(self):
        with self.db.begin() as transaction:
            values = [struct.unpack("<4d", value)[0] for _, value in transaction.cursor()]
        return len(values), sum(values)


class Duckdb:
    side = "DuckDB from Python"
    package = "duckdb"

    def __init__(self, folder):
        import duckdb

        self.db = duckdb.connect(str(folder / "commits.duckdb"))
        columns = ", ".join(f"{name} double" for name in VALUES)
        self.db.execute(f"create table series (time bigint, {columns})")
        self.insert = f"insert into series values {', '.join(['(?, ?, ?, ?, ?)'] * ROWS)}"

    def rows(self, first):
        return [v for row in range(ROWS) for v in (first + row, *[float(row)] * len(VALUES))]

    def commit(self, rows):
        self.db.execute(self.insert, rows)

    def stored(self):
        return self.db.execute("select count(*), sum(a) from series").fetchone()


SIDES = [Probe, Otolith, Sqlite, Lmdb, Duckdb]


def there(side):
    """Whether the package of a side can be imported; what cannot is told."""
    try:
        importlib.import_module(getattr(side, "package", "json"))
    except Exception as error:  # whatever a broken package raises
        print(f"{side.side}: left out: {error}", file=sys.stderr)
        return False
    return True


def report(side, seconds, note):
    seconds = sorted(seconds)
    figure = {
        "row": "3",
        "side": side,
        "unit": "s",
        "median": statistics.median(seconds),
        "min": seconds[0],
        "max": seconds[-1],
        "p99": seconds[len(seconds) * 99 // 100],
        "samples": len(seconds),
        "note": note,
    }
    print(json.dumps(figure, ensure_ascii=False))


def main():
    folder = pathlib.Path(sys.argv[2]) / "commits_py"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS
    sides = [side(folder) for side in SIDES if there(side)]
    taken = {side: [] for side in sides}
    for turn in range(rounds):
        for side in sides:
            for i in range(PER_ROUND):
                rows = side.rows((turn * PER_ROUND + i) * 1000)
                begin = time.perf_counter()
                side.commit(rows)
                taken[side].append(time.perf_counter() - begin)
    commits = rounds * PER_ROUND
    for side in sides:
        stored = side.stored()
        if stored not in (None, (commits * ROWS, commits * sum(range(ROWS)))):
            raise SystemExit(f"{side.side}: has rows and sum {stored} after {commits} commits")
        report(side.side, taken[side], "" if side is sides[0] else "10 rows x 5 columns")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
