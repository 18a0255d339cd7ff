"""W1: 10 M rows of regular time, a counter and three uniform doubles, beside the peers.

python bench/peers/w1_bench.py all FOLDER [ROWS]
"""

import pathlib
import shutil
import sys

import numpy as np
import pyarrow as pa

import data
import engines
import otolith as oto
import probes
import totals
from turns import Figures, Side, summary

MOST = 90.0  # of `value1 > 90`
STORES = [
    engines.Otolith, engines.OtolithOneThread, engines.OtolithRaw, engines.OtolithSmall,
    engines.Arctic, engines.Duckdb, engines.DuckdbOneThread, engines.Parquet,
    engines.ArrowParquet, engines.PlainColumns, engines.DayRecords,
]  # fmt: skip


def ingest(figures, stores):
    """Each side writes a fresh store in each turn; the last one stays for the reads."""
    sides = [Side(store.name, store.write, before=store.fresh) for store in stores]
    figures.turns("1", "1 ingest, committed durably", sides)
    for store in stores:
        store.settled()
        figures.value("20", "20 bytes of data on disk", store.name, store.bytes_of_data(), "bytes")
        figures.value("20 all", "20 all files, empty log included", store.name,
                      store.bytes_on_disk(), "bytes")  # fmt: skip
        store.close()


def opening(figures, stores):
    sides = [Side(store.name, store.open, before=store.close) for store in stores]
    figures.turns("4", "4 open", sides, repeat=5)


def reading(figures, stores):
    """Whole columns as arrays: at first, when pages are verified and mapped, and again."""
    arrays = list(stores[0].given.columns.values())

    def reopened(store):
        store.close()
        store.open()

    for store in stores:
        reopened(store)

    sides = [Side(store.name, store.read) for store in stores]
    figures.turns(
        "5", "5 read all into arrays", [*sides, probes.fresh_copy(arrays)], summary, rounds=7
    )
    ours = [store for store in stores if isinstance(store, engines.Otolith)]

    def read_once(store):
        reopened(store)
        store.read()

    one = ours[0]
    later = f"{one.name}, later"
    took = figures.turns(
        "5 first",
        "5 the same, first read after open",
        [
            *(Side(s.name, s.read, before=lambda s=s: reopened(s)) for s in ours),
            Side(later, one.read, before=lambda: read_once(one)),
        ],
        summary,
    )
    ratio = took[one.name] / took[later]
    figures.value("19 first", "19 first read beside a later one", one.name, ratio, "x")


def filtering(figures, stores, by_name):
    """`value1 > 90`, all columns."""
    ask = {
        engines.Arctic: lambda s: s.library.read(TABLE, query_builder=_arctic_query()).data,
        engines.Duckdb: lambda s: s.ask(f"where value1 > {MOST}"),
        engines.Parquet: _filter_polars,
        engines.ArrowParquet: _filter_arrow,
        engines.PlainColumns: lambda s: _filter_arrays(s.maps),
    }
    operation = "6 value1 > 90 into arrays"
    if hasattr(oto, "col"):
        condition = oto.col("value1") > MOST
        ask[engines.Otolith] = lambda s: s.table.read(where=condition).to_numpy()
    else:
        figures.absent("6", operation, "otolith", "oto.col is not built yet")
    sides = []
    for store in stores:
        for kind, run in ask.items():
            exact = type(store) is kind or kind in (engines.Otolith, engines.Duckdb)
            if exact and isinstance(store, kind):
                sides.append(Side(store.name, lambda run=run, store=store: run(store)))
    stored = by_name["otolith"].bytes_of_data() if "otolith" in by_name else 0
    figures.turns("6", operation, [*sides, probes.sum_over(stored, "sum of all bytes stored")],
                  summary)  # fmt: skip


TABLE = engines.TABLE


def _arctic_query():
    import arcticdb

    query = arcticdb.QueryBuilder()
    return query[query["value1"] > MOST]


def _filter_polars(store):
    import polars

    frame = store.scan().filter(polars.col("value1") > MOST).collect()
    return {name: frame[name].to_numpy() for name in frame.columns}


def _filter_arrow(store):
    import pyarrow.parquet as pq

    table = pq.read_table(store.file, filters=[("value1", ">", MOST)])
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _filter_arrays(columns):
    wanted = columns["value1"] > MOST
    return {name: values[wanted] for name, values in columns.items()}


def views(figures, by_name):
    """A sum over the column that a raw store hands out without a copy, beside a bare map."""
    raw, plain = by_name["otolith raw"], by_name["plain columns"]
    column = raw.table.read(columns=["value1"])
    if not column.zero_copy["value1"]:
        raise SystemExit("4 sum over a view: the column of a raw store was copied")
    figures.turns("4 view", "4 sum over a zero-copy view", [
        Side("otolith raw", column["value1"].sum),
        Side("plain columns", plain.maps["value1"].sum, note="bare map"),
    ], summary=lambda total: float(total), rounds=15)  # fmt: skip


def verifying(figures, stores):
    """Every byte read from the disk's cache anew and checked."""

    def verified(store):
        if not store.db.verify().ok:
            raise SystemExit("19 verify: the store is damaged")

    for store in stores:
        if type(store) in (engines.Otolith, engines.OtolithRaw):
            probe = probes.sum_over(store.bytes_on_disk(), "sum of as many bytes")
            side = Side(store.name, lambda store=store: verified(store))
            row = "19" if type(store) is engines.Otolith else "19 raw"
            figures.turns(row, f"19 verify, {store.codec}", [side, probe])


def main():
    folder = pathlib.Path(sys.argv[2]) / "w1"
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else data.W1_ROWS
    figures = Figures("W1")
    given = engines.Given(pa.table({name: np.asarray(v) for name, v in data.w1(rows).items()}))
    stores = []
    for kind in STORES:
        if missing := kind.missing():
            figures.absent("1", "1 ingest, committed durably", kind.name, missing)
            continue
        stores.append(kind(folder, given))
    by_name = {store.name: store for store in stores}
    figures.versions(engines.versions(STORES), f"{rows:,} rows x 5 columns")
    folder.mkdir(parents=True, exist_ok=True)
    probes.machine(figures, folder)
    ingest(figures, stores)
    opening(figures, stores)
    reading(figures, stores)
    filtering(figures, stores, by_name)
    totals.totals(figures, stores, by_name)
    views(figures, by_name)
    verifying(figures, stores)
    for store in stores:
        store.clear()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
