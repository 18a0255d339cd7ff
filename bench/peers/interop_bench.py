"""interop: a table asked through Polars and DuckDB beside our own reads, as-of rows, the import.

    python bench/peers/interop_bench.py all FOLDER [SHARE]

A year of rows at even distances, of symbols in turn, one table on disk; `SHARE` (1) scales the rows
down. A day and a month out of it are read by us, through `scan_polars` and through a view of
`oto.duckdb`, each into Arrow with what it asks pushed down; the same day of DuckDB's own table and
of a Parquet file tells what they take by themselves. `asof` gives the last row of each symbol at
moments all over the year. The import is timed in programs of their own that have NumPy already.
"""

import functools
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa

import data
import engines
import otolith as oto
from turns import Figures, Side, sums

ROWS = 20_000_000
YEAR_NS = 365 * data.DAY_NS
START_NS = 1_735_689_600 * 10**9  # 2025-01-01
SYMBOLS = 100
SPANS = {"day": (180, 181), "month": (181, 212)}  # days of the year
COLUMNS = ["time", "bid", "size"]
REPEATS = 10
MOMENTS = 5
IMPORTS = 15
IMPORT = (
    "import time, numpy; begin = time.perf_counter(); import otolith; "
    "print(time.perf_counter() - begin)"
)


class Otolith(engines.Otolith):
    options = {"keys": ["symbol"]}

    def open(self):
        super().open()
        if self.table is not None:
            self.lazy = oto.scan_polars(self.table)
            self.connection = oto.duckdb(self.db)

    def close(self):
        self.lazy = self.connection = None
        super().close()

    def span(self, start, stop):
        return pa.table(self.table.read(start, stop, columns=COLUMNS))

    def by_polars(self, start, stop):
        return within(self.lazy, start, stop)

    def by_duckdb(self, start, stop):
        return self.connection.sql(sql_within(start, stop)).to_arrow_table()

    def asof(self, moment):
        return {"bid": self.table.asof(moment, columns=["bid"])["bid"]}


class Duckdb(engines.Duckdb):
    def write(self):
        times = "time::timestamptz as time"  # as its views of our tables have them
        self.db.execute(f"create table {engines.TABLE} as select * replace ({times}) from given")

    def span(self, start, stop):
        return self.db.sql(sql_within(start, stop)).to_arrow_table()

    def asof(self, moment):
        rest = f"where time <= make_timestamptz({moment // 1000}) group by symbol"
        return self.ask(rest, "arg_max(bid, time) as bid")


class Parquet(engines.Parquet):
    def span(self, start, stop):
        return within(self.scan(), start, stop)

    def asof(self, moment):
        import polars

        until = self.scan().filter(polars.col("time") <= polars_time(moment))
        last = until.group_by("symbol").agg(polars.col("bid").sort_by("time").last())
        return {"bid": last.collect()["bid"].to_numpy()}


def polars_time(ns):
    import polars

    return polars.lit(ns).cast(polars.Datetime("ns", "UTC"))


def within(lazy, start, stop):
    """A range of time of a LazyFrame."""
    import polars

    time = polars.col("time")
    wanted = (time >= polars_time(start)) & (time < polars_time(stop))
    return lazy.filter(wanted).select(COLUMNS).collect()


def sql_within(start, stop):
    """The same of DuckDB, whose times have microseconds."""
    first, end = (f"make_timestamptz({ns // 1000})" for ns in (start, stop))
    columns = ", ".join(COLUMNS)
    return f"select {columns} from {engines.TABLE} where time >= {first} and time < {end}"


def given_year(rows):
    """The rows; DuckDB keeps microseconds, so that all times are whole ones."""
    random = np.random.default_rng(1)
    step = YEAR_NS // rows // 1000 * 1000
    names = data.symbol_names()[:SYMBOLS]
    codes = pa.array(np.arange(rows, dtype=np.int32) % SYMBOLS)
    symbols = pa.DictionaryArray.from_arrays(codes, pa.array(names)).cast(pa.large_string())
    times = pa.array(START_NS + step * np.arange(rows)).cast(pa.timestamp("ns", "UTC"))
    return engines.Given(
        pa.table(
            {
                "time": times,
                "symbol": symbols,
                "bid": np.round(random.uniform(90, 110, rows), 2),
                "size": random.integers(1, 1000, rows, dtype=np.int32),
            }
        )
    )


def spans(figures, stores):
    ours = stores[0]
    asked = [(ours.name, ours.span)]
    if not Parquet.missing():
        asked.append(("otolith by Polars", ours.by_polars))
    if not Duckdb.missing():
        asked.append(("otolith by DuckDB", ours.by_duckdb))
    asked += [(store.name, store.span) for store in stores[1:]]
    for row, (first, end) in SPANS.items():
        start, stop = (START_NS + day * data.DAY_NS for day in (first, end))
        sides = [Side(name, functools.partial(ask, start, stop)) for name, ask in asked]
        operation = f"a {row} out of a year, {len(COLUMNS)} of 4 columns, into Arrow"
        figures.turns(row, operation, sides, sums, repeat=REPEATS, collect=False)


def last_rows(figures, stores):
    moments = [START_NS + YEAR_NS * (2 * i + 1) // (2 * MOMENTS) for i in range(MOMENTS)]

    def asked(store):
        return lambda: {"bid": np.concatenate([store.asof(each)["bid"] for each in moments])}

    sides = [Side(store.name, asked(store)) for store in stores]
    operation = f"the last row of each of {SYMBOLS} symbols at {MOMENTS} moments"
    figures.turns("asof", operation, sides, sums)


def imports(figures):
    def run():
        command = [sys.executable, "-c", IMPORT]
        printed = [
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            for _ in range(IMPORTS)
        ]
        return [float(line) for line in printed], None

    run()  # files come into the system's cache
    figures.turns("import", "import otolith behind NumPy", [Side("otolith", run, itself=True)],
                  rounds=1)  # fmt: skip


def main():
    folder = pathlib.Path(sys.argv[2]) / "interop"
    share = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    folder.mkdir(parents=True)
    figures = Figures("interop")
    given = given_year(max(10_000, int(ROWS * share)))
    kinds = [Otolith, Duckdb, Parquet]
    stores = [kind(folder, given) for kind in kinds if not kind.missing()]
    for kind in kinds:
        if missing := kind.missing():
            figures.absent("day", "a day out of a year", kind.name, missing)
    size = f"{given.arrow.num_rows:,} rows x 4 columns, a year of {SYMBOLS} symbols"
    figures.versions(engines.versions(kinds), size)
    for store in stores:
        store.fresh()
        store.write()
        store.settled()
        store.close()
        store.open()
    spans(figures, stores)
    last_rows(figures, stores)
    imports(figures)
    for store in stores:
        store.clear()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
