"""Durable commits of 10 rows x 5 columns from Python, beside the disk and SQLite.

    python bench/writes/commits_bench.py all FOLDER

Sides take turns in one process, so that a busy moment of the disk hits all of them. SQLite keeps a
write-ahead log and syncs it at each commit (journal_mode=WAL, synchronous=FULL), which is what an
acknowledged commit of Otolith promises.
"""

import json
import os
import pathlib
import shutil
import sqlite3
import statistics
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
    sides = [side(folder) for side in (Probe, Otolith, Sqlite)]
    taken = {side: [] for side in sides}
    for turn in range(ROUNDS):
        for side in sides:
            for i in range(PER_ROUND):
                rows = side.rows((turn * PER_ROUND + i) * 1000)
                begin = time.perf_counter()
                side.commit(rows)
                taken[side].append(time.perf_counter() - begin)
    for side in sides:
        report(side.side, taken[side], "" if side is sides[0] else "10 rows x 5 columns")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
