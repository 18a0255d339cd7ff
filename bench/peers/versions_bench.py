"""versions: many small commits, the newest and an old state read, the log listed, a rollback.

    python bench/peers/versions_bench.py all FOLDER [COMMITS]

1,000 commits of 1,000 rows of W1, beside the peers that keep old versions. Otolith and ArcticDB
(LMDB) wait for the disk at each commit by themselves. Lance and Delta Lake never call fsync
(strace, of the versions in bench/requirements.txt): what they do by themselves is the side
"not synced", which is no limit; beside it stands the same commit with the files that it made, and
their folders, synced afterwards. Finding these files is not timed, nor are checkpoints synced,
which can be made again.
"""

import os
import pathlib
import shutil
import sys
import time

import pyarrow as pa

import data
import engines
import probes
from turns import Figures, Side, sums

COMMITS = 1000
ROWS = 1000  # of a commit
IN_TURN = 50  # commits of one side before the next one's turn
OLD = 10  # the commit whose state is read, of 1,000
TABLE = engines.TABLE
NOT_SYNCED = ", not synced"  # of the name of a side that is no limit (bench/goals.py)
COMMIT = f"17b a durable commit of {ROWS:,} rows"


class Otolith(engines.Otolith):
    def commit(self, rows):
        self.table.append(rows)

    def before(self, commits):
        return self.db.at(commits + 1)[TABLE].read().to_numpy()  # the first made the table

    def listed(self):
        return len(self.db.log(TABLE)) - 1

    def rollback(self, commits):
        self.db.rollback(commits + 1)

    def rows(self):
        return len(self.table.read(columns=["counter"]))


class Arctic(engines.Arctic):
    def commit(self, rows):
        self.library.append(TABLE, rows)

    def before(self, commits):
        return self.library.read(TABLE, as_of=commits - 1).data

    def listed(self):
        return len(self.library.list_versions(TABLE))

    def rollback(self, commits):
        self.library._nvs.restore_version(TABLE, as_of=commits - 1)

    def rows(self):
        return self.library.get_description(TABLE).row_count


class Files(engines.Store):
    """A peer that makes files and leaves it to the system when they reach the disk."""

    def __init__(self, folder, given):
        super().__init__(folder, given)
        self.known = set()

    def made(self):
        """Paths of files made since the last call."""
        found = {
            entry.path for folder in (self.path, *self.folders()) for entry in os.scandir(folder)
        }
        new, self.known = found - self.known, found
        return [p for p in new if os.path.isfile(p) and "checkpoint" not in os.path.basename(p)]

    def folders(self):
        return [path for path in self.path.iterdir() if path.is_dir()]

    def sync(self):
        """Waits for what was made since the last call; seconds."""
        made = self.made()
        paths = [*made, *{os.path.dirname(path) for path in made}]
        begin = time.perf_counter()
        for path in paths:
            engines.sync(path)
        return time.perf_counter() - begin

    def listed(self):
        return len(self.entries())


class Lance(Files):
    name = "Lance"
    package = "lance"
    distribution = "pylance"
    dataset = None

    def commit(self, rows):
        import lance

        mode, place = ("append", self.dataset) if self.dataset else ("create", str(self.path))
        self.dataset = lance.write_dataset(rows, place, mode=mode)

    def prepare(self):
        self.path.rmdir()  # Lance makes it

    def read(self):
        return self.dataset.to_table()

    def before(self, commits):
        return self.dataset.checkout_version(commits).to_table()

    def entries(self):
        return self.dataset.versions()

    def rollback(self, commits):
        old = self.dataset.checkout_version(commits)
        old.restore()
        self.dataset = old

    def rows(self):
        return self.dataset.count_rows()

    def close(self):
        self.dataset = None


class Delta(Files):
    name = "Delta Lake"
    package = "deltalake"
    table = None

    def commit(self, rows):
        import deltalake

        deltalake.write_deltalake(self.table or str(self.path), rows, mode="append")
        self.table = self.table or deltalake.DeltaTable(str(self.path))

    def read(self):
        return self.table.to_pyarrow_table()

    def before(self, commits):
        import deltalake

        return deltalake.DeltaTable(str(self.path), version=commits - 1).to_pyarrow_table()

    def entries(self):
        return self.table.history()

    def rollback(self, commits):
        self.table.restore(commits - 1)

    def rows(self):
        return self.table.count()

    def close(self):
        self.table = None


STORES = [Otolith, Arctic, Lance, Delta]


def timed(work):
    """Seconds of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def committing(figures, stores, commits):
    """A round of commits of each side after another; every store then has all rows."""
    taken, synced = {s: [] for s in stores}, {s: [] for s in stores if isinstance(s, Files)}
    for store in stores:
        store.fresh()
    for first in range(0, commits, IN_TURN):
        for store in stores:
            for number in range(first, min(first + IN_TURN, commits)):
                rows = slice_of(store, number)
                taken[store].append(timed(lambda store=store, rows=rows: store.commit(rows)))
                if store in synced:
                    synced[store].append(taken[store][-1] + store.sync())
    for store in stores:
        if store in synced:
            say(figures, store.name + NOT_SYNCED, taken[store], "no fsync at all")
            say(figures, store.name, synced[store], "files and folders synced afterwards")
        else:
            say(figures, store.name, taken[store])
        if store.rows() != commits * ROWS:
            raise SystemExit(f"{store.name} has {store.rows()} rows after {commits} commits")
        size = store.bytes_on_disk()
        figures.value("17b size", "17b bytes on disk afterwards", store.name, size, "bytes")


def say(figures, side, seconds, note=""):
    figures.say("17b commit", COMMIT, side, sorted(seconds), "s", note)
    figures.value("17b", f"17b all {len(seconds):,} of them", side, sum(seconds), "s")


def slice_of(store, number):
    """The rows of one commit, in the form that the side takes."""
    whole = store.given.frame if isinstance(store, Arctic) else store.given.arrow
    return whole[number * ROWS : (number + 1) * ROWS]


def reading(figures, stores, commits):
    arrays = list(stores[0].given.columns.values())
    sides = [Side(store.name, store.read) for store in stores]
    figures.turns("17b read", "17b read all rows into columns",
                  [*sides, probes.fresh_copy(arrays)], sums)  # fmt: skip
    sides = [Side(store.name, store.listed) for store in stores]
    figures.turns("17b list", "17b list all commits", sides, int)
    old = max(1, commits * OLD // COMMITS)
    sides = [Side(store.name, lambda store=store: store.before(old)) for store in stores]
    figures.turns("14", f"14 read as of commit {old}", sides, sums)


def rolling_back(figures, stores, commits):
    """To the state of half the commits, and untimed to all of them again."""
    operation = "15 roll back half of the commits"
    sides = []
    for store in stores:
        sides.append(Side(store.name, lambda store=store: back(store, commits // 2), itself=True,
                          after=lambda store=store: back(store, commits)))  # fmt: skip
    figures.turns("15", operation, sides, lambda store: store.rows())


def back(store, commits):
    seconds = timed(lambda: store.rollback(commits))
    if isinstance(store, Files):
        seconds += store.sync()
    return [seconds], store


def main():
    folder = pathlib.Path(sys.argv[2]) / "versions"
    commits = int(sys.argv[3]) if len(sys.argv) > 3 else COMMITS
    folder.mkdir(parents=True)
    figures = Figures("versions")
    given = engines.Given(pa.table(data.w1(commits * ROWS)))
    for kind in STORES:
        if missing := kind.missing():
            figures.absent("17b", COMMIT, kind.name, missing)
    stores = [kind(folder, given) for kind in STORES if not kind.missing()]
    size = f"{commits:,} commits of {ROWS:,} rows x 5 columns"
    figures.versions(engines.versions(STORES), size)
    committing(figures, stores, commits)
    reading(figures, stores, commits)
    rolling_back(figures, stores, commits)
    for store in stores:
        store.clear()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
