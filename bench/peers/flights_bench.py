"""flights: three million real flights, loaded durably, and the bytes they take.

python bench/peers/flights_bench.py all FOLDER
"""

import pathlib
import shutil
import sys

import data
import engines
from turns import Figures, Side, summary

STORES = [
    engines.Otolith, engines.OtolithOneThread, engines.OtolithRaw, engines.OtolithSmall,
    engines.Arctic, engines.Duckdb, engines.Parquet, engines.ArrowParquet,
]  # fmt: skip


def main():
    folder = pathlib.Path(sys.argv[2]) / "flights"
    folder.mkdir(parents=True)
    figures = Figures("flights")
    given = engines.Given(data.flights())
    stores = [kind(folder, given) for kind in STORES if not kind.missing()]
    for kind in STORES:
        if missing := kind.missing():
            figures.absent("21b", "21b load, committed durably", kind.name, missing)
    rows = given.arrow.num_rows
    figures.versions(engines.versions(STORES), f"{rows:,} rows x 5 columns ({data.FLIGHTS})")
    figures.turns(
        "21b",
        "21b load, committed durably",
        [Side(store.name, store.write, before=store.fresh) for store in stores],
    )
    for store in stores:
        store.settled()
        figures.value("21", "21 bytes of data on disk", store.name, store.bytes_of_data(), "bytes")
        figures.value("21 all", "21 all files, empty log included", store.name,
                      store.bytes_on_disk(), "bytes")  # fmt: skip
        store.close()
        store.open()
    published = data.flights_file().stat().st_size
    figures.value("21", "21 bytes of data on disk", "the published Parquet", published, "bytes")
    sides = [Side(store.name, store.read) for store in stores]
    figures.turns("5", "5 read all into arrays, text as objects", sides, summary, rounds=3)
    for store in stores:
        store.clear()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
