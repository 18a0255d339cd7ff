"""writing: relaxed commits, deletes, late rows, readers beside a writer, waiting, a long import.

    python bench/peers/writing_bench.py all FOLDER [SHARE]

`SHARE` (1) scales every size down. 30,000 relaxed commits run beside SQLite with
synchronous=NORMAL, which promises the same: all of it behind a crash of the process, all but the
last moments behind a power cut. The rest has no peer that does it: what it is beside stands in the
row's name.
"""

import multiprocessing
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

import numpy as np

import otolith as oto
from turns import Figures, Side

DAY = 86_400
COMMITS, COLUMNS, ROWS = 30_000, 22, 10
IN_TURN = 1_000  # commits of one side before the next one's turn
DELETE_FROM = 10_000_000
LATE_ROWS, LATE_COMMITS = 10_000_000, 100
READERS, PHASES, PHASE_S, TAIL = 128, 3, 2.0, 300
IMPORT_ROWS, IMPORT_BATCH = 40_000_000, 500_000
WAITS = 100
FORK = multiprocessing.get_context("fork")


def seconds_of(work):
    """Seconds of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def series(db, name="t", **options):
    """A table of a time, two prices, a count and a bit."""
    columns = {"time": oto.timestamp, "a": oto.float64, "b": oto.float64, "n": oto.int32}
    return db.create_table(name, {**columns, "odd": oto.int64}, **options)


def rows_of(seconds, random):
    """Rows at these seconds."""
    count = len(seconds)
    return {
        "time": (seconds * 1_000_000_000).astype("M8[ns]"),
        "a": np.round(random.normal(100, 10, count), 2),
        "b": np.round(random.normal(10, 1, count), 1),
        "n": random.integers(0, 1000, count).astype(np.int32),
        "odd": random.integers(0, 2, count),
    }


# ---- 17 ------------------------------------------------------------------------------------------


def relaxed(figures, folder, commits):
    """The time of all of them, to the end of the sync that makes them durable."""
    names = [f"c{i}" for i in range(COLUMNS)]
    values = {name: np.arange(float(ROWS)) + i for i, name in enumerate(names)}
    db = oto.open(folder / "relaxed.oto", durability="relaxed")
    table = db.create_table("t", {"time": oto.timestamp, **dict.fromkeys(names, oto.float64)})
    sql = sqlite3.connect(folder / "relaxed.sqlite", isolation_level=None)
    sql.execute("pragma journal_mode=wal")
    sql.execute("pragma synchronous=normal")
    sql.execute(f"create table t (time integer, {', '.join(f'{name} real' for name in names)})")
    insert = f"insert into t values ({', '.join('?' * (COLUMNS + 1))})"
    batches = [
        {"time": (np.arange(ROWS) + k * 1000).astype("M8[ns]"), **values} for k in range(IN_TURN)
    ]
    rows = [
        [(k * 1000 + r, *(float(r + i) for i in range(COLUMNS))) for r in range(ROWS)]
        for k in range(IN_TURN)
    ]

    def append():
        for batch in batches:
            table.append(batch)

    def put():
        for commit in rows:
            sql.execute("begin")
            sql.executemany(insert, commit)
            sql.execute("commit")

    taken = {"otolith": 0.0, "SQLite": 0.0}
    for turn in range(commits // IN_TURN):
        sides = [("otolith", append), ("SQLite", put)]
        for name, work in sides[:: 1 if turn % 2 else -1]:
            taken[name] += seconds_of(work)
    taken["otolith"] += seconds_of(db.sync)
    taken["SQLite"] += seconds_of(lambda: sql.execute("pragma wal_checkpoint(full)"))
    stored = commits // IN_TURN * IN_TURN * ROWS
    if (len(table), sql.execute("select count(*) from t").fetchone()[0]) != (stored, stored):
        raise SystemExit("relaxed commits: rows are missing")
    operation = f"17 {commits:,} relaxed commits of {ROWS} rows x {COLUMNS + 1} columns, synced"
    for name, seconds in taken.items():
        figures.value("17", operation, name, seconds, "s")
    sql.close()
    db.close()


# ---- delete --------------------------------------------------------------------------------------


def deleting(figures, folder, rows):
    """Half of the rows, scattered; then what is left is read beside what was there."""
    db = oto.open(folder / "delete.oto")
    table = series(db)
    before = table.append(rows_of(np.arange(rows), np.random.default_rng(1)))
    begin = time.perf_counter()
    change = table.delete(where=oto.col("odd") == 1)
    seconds = time.perf_counter() - begin
    ended = change.changes["t"][1]
    figures.value("delete", f"delete of {ended:,} scattered rows", "otolith", seconds, "s")
    old = db.at(before)["t"]
    for row, what, columns in (
        ("delete read", "read all columns", None),
        ("delete column", "read one column", ["a"]),
    ):
        figures.turns(
            row,
            f"{what} behind the delete",
            [
                Side("otolith", lambda c=columns: table.read(columns=c).to_numpy()),
                Side(
                    "otolith before", lambda c=columns: old.read(columns=c).to_numpy(), probe=True
                ),
            ],
            rounds=9,
        )
    db.close()


# ---- 18 ------------------------------------------------------------------------------------------


def written_bytes():
    """Bytes that this process gave to the disk."""
    with open("/proc/self/io") as io:
        return int(next(line for line in io if line.startswith("write_bytes")).split()[1])


def late(figures, folder, rows):
    """A row a second; one in a hundred comes up to 30 days late."""
    random = np.random.default_rng(2)
    seconds = np.arange(rows)
    arrives = seconds + np.where(random.random(rows) < 0.01, random.integers(0, 30 * DAY, rows), 0)
    order = np.argsort(arrives, kind="stable")
    parts = np.array_split(order, LATE_COMMITS)
    sorted_db = oto.open(folder / "sorted.oto")
    series(sorted_db).append(rows_of(seconds, np.random.default_rng(3)))
    sorted_bytes = sum(
        f.stat().st_size for f in (folder / "sorted.oto" / "segments").rglob("*.seg")
    )
    sorted_db.close()

    sides, written = {}, 0
    for name in ("as written", "compacted"):
        db = oto.open(folder / f"late {name}.oto")
        table = series(db)
        begin = written_bytes()
        for part in parts:
            table.append(rows_of(seconds[part], random))
        if name == "compacted":
            db.compact()
            db.close()
            written = written_bytes() - begin
            db = oto.open(folder / f"late {name}.oto")
        sides[name] = db["t"]
    of = f"{rows:,} rows, 1 % up to 30 days late, {LATE_COMMITS} commits"
    figures.value("18 written", f"18 bytes written and compacted: {of}", "otolith",
                  written / sorted_bytes, "x", "of the same rows in one commit")  # fmt: skip
    midday = (rows // DAY // 2) * DAY
    day = [np.datetime64(midday + at, "s") for at in (0, DAY)]
    for row, what, ask in (
        ("18 read", "18 read all in time order", lambda t: t.read()),
        ("18 day", "18 read a day in the middle", lambda t: t.read(*day)),
    ):
        figures.turns(
            row,
            what,
            [
                Side("otolith", lambda ask=ask: ask(sides["as written"]).to_numpy()),
                Side("otolith compacted", lambda ask=ask: ask(sides["compacted"]).to_numpy()),
            ],
            lambda answer: len(answer["time"]),
        )


# ---- 23 ------------------------------------------------------------------------------------------


def read_on(path, phase, reads, me):
    """Counts this reader's reads in each phase."""
    db = oto.open(path, read_only=True)
    table, start = db["t"], np.datetime64(1000 * me, "s")
    stop = start + np.timedelta64(1000, "s")
    table.read(start, stop)
    reads[0, me] = 1
    while phase.value != 3:
        now = phase.value
        table.read(start, stop, columns=["time", "a"]).to_numpy()
        reads[now, me] += 1


def small_commit(table, number):
    """Ten rows behind those that are read."""
    first = 2_000_000 + 10 * number
    table.append(rows_of(np.arange(first, first + 10), np.random.default_rng(5)))


def shared_array(shape):
    """Numbers that forked processes share."""
    size = int(np.prod(shape))
    return np.frombuffer(FORK.RawArray("q", size), np.int64).reshape(shape)


def readers(figures, folder, count):
    """Reads a second of all readers together, without a writer and beside one that never rests."""
    path = folder / "readers.oto"
    with oto.open(path) as db:
        table = series(db)
        table.append(rows_of(np.arange(1_000_000), np.random.default_rng(4)))
        for i in range(TAIL):  # so that some more do not change what a read costs
            small_commit(table, i)
    phase, reads = FORK.Value("i", 0, lock=False), shared_array((4, count))
    children = [FORK.Process(target=read_on, args=(path, phase, reads, me)) for me in range(count)]
    for child in children:
        child.start()
    while not reads[0].all():
        if not all(child.is_alive() for child in children):
            raise SystemExit("a reader ended with an error")
        time.sleep(0.05)
    db, commits, taken = oto.open(path), 0, {1: [], 2: []}
    for now in (1, 2) * PHASES:
        begin, first = time.perf_counter(), reads[now].sum()
        phase.value = now
        while (passed := time.perf_counter() - begin) < PHASE_S:
            if now == 1:
                time.sleep(0.02)
                continue
            small_commit(db["t"], commits)
            commits += 1
        taken[now].append(float(reads[now].sum() - first) / passed)
        phase.value = 0
    db.close()
    phase.value = 3
    for child in children:
        child.join()
    if any(child.exitcode for child in children):
        raise SystemExit("a reader ended with an error")
    operation = f"23 reads a second of {count} processes"
    figures.say("23", operation, "otolith, without a writer", sorted(taken[1]), "/s", "")
    figures.say("23", operation, "otolith", sorted(taken[2]), "/s",
                f"beside a writer of {commits / PHASES / PHASE_S:,.0f} commits/s")  # fmt: skip


# ---- waiting -------------------------------------------------------------------------------------


def commit_now_and_then(path, committed):
    """Notes when each commit was acknowledged."""
    table = oto.open(path)["t"]
    random = np.random.default_rng(6)
    for i in range(len(committed)):
        time.sleep(random.random() * 0.02)
        table.append(rows_of(np.arange(i, i + 1), random))
        committed[i] = time.monotonic_ns()


def waiting(figures, folder, count):
    """From the acknowledgement of a commit to the return of `wait` in another process."""
    path = folder / "waiting.oto"
    db = oto.open(path)
    series(db)
    committed = shared_array((count,))
    seen, returned = db.head, []
    writer = FORK.Process(target=commit_now_and_then, args=(path, committed))
    writer.start()
    while len(returned) < count:
        seen = db.wait(seen, timeout="10s")
        returned.append(time.monotonic_ns())
    writer.join()
    db.close()
    late_by = sorted(max(0, r - c) / 1e9 for r, c in zip(returned, committed))
    figures.say("wait", "wait for another process's commit", "otolith", late_by, "s", "")


# ---- import --------------------------------------------------------------------------------------


def peak_bytes():
    """The most memory this process ever had."""
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024


def import_all(path, rows):
    """Rows through one recorder, a batch at a time; prints what memory it took."""
    random = np.random.default_rng(7)
    before = peak_bytes()
    with oto.open(path) as db:
        table = series(db)
        with db.recorder() as recorder:
            for first in range(0, rows, IMPORT_BATCH):
                recorder["t"].append(rows_of(np.arange(first, first + IMPORT_BATCH), random))
        if len(table) != rows:
            raise SystemExit("rows are missing")
    print(peak_bytes() - before)


def importing(figures, folder, rows):
    """In a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "import", str(folder / "import.oto"), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    operation = f"memory of importing {rows:,} rows x 5 columns by one recorder"
    figures.value("import", operation, "otolith", int(done.stdout), "bytes", "its batches included")


def main():
    if sys.argv[1] == "import":
        return import_all(sys.argv[2], int(sys.argv[3]))
    folder = pathlib.Path(sys.argv[2]) / "writing"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    share = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    figures = Figures("writing")
    figures.versions(f"SQLite {sqlite3.sqlite_version}", "tables of a time and four numbers")
    relaxed(figures, folder, max(IN_TURN, int(COMMITS * share)))
    deleting(figures, folder, int(DELETE_FROM * share))
    late(figures, folder, int(LATE_ROWS * share))
    readers(figures, folder, max(2, int(READERS * share)))
    waiting(figures, folder, max(10, int(WAITS * share)))
    importing(figures, folder, max(2, int(IMPORT_ROWS * share) // IMPORT_BATCH) * IMPORT_BATCH)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
