"""quotes: rows of 1,000 skewed symbols over five days, in time order, in stored order, one hour.

    python bench/peers/quotes_bench.py all FOLDER [ROWS]

Whole reads give Arrow data, or what a side has in its place, because 20 M texts as Python objects
would be what is measured. ArcticDB has the rows twice: as one frame for whole reads, and a frame
for each symbol, as its users keep them, for one symbol-hour.
"""

import pathlib
import shutil
import sys
import time

import numpy as np
import pyarrow as pa

import data
import engines
import probes
from questions import NAME, Question
from turns import Figures, Side, summary, sums

HOUR_ROWS = 1000  # about; of the symbol-hour that is read
HOUR_NS = 3_600_000_000_000
HOUR_START_NS = data.QUOTES_START_NS + 2 * data.DAY_NS + 11 * HOUR_NS
HOUR_END_NS = HOUR_START_NS + HOUR_NS
HOUR_REPEATS = 20
COLUMNS = ["time", "bid", "ask", "size"]
TABLE = engines.TABLE


class Otolith(engines.Otolith):
    options = {"keys": ["symbol"]}
    order = "time"

    def read(self):
        return pa.table(self.table.read(order=self.order))

    def hour(self, symbol):
        start, stop = HOUR_START_NS, HOUR_START_NS + HOUR_NS
        return self.table.read(start, stop, keys={"symbol": symbol}, columns=COLUMNS).to_numpy()


class OtolithOneThread(Otolith):
    name = "otolith, 1 thread"
    threads = 1


class OtolithSmall(Otolith):
    name = "otolith small"
    codec = "small"


class Duckdb(engines.Duckdb):
    order = "order by time"

    def read(self):
        return self.ask_arrow(self.order)

    def hour(self, symbol):
        start, stop = np.array([HOUR_START_NS, HOUR_START_NS + HOUR_NS]).view("M8[ns]")
        where = f"time >= '{start}'::timestamp_ns and time < '{stop}'::timestamp_ns"
        return self.ask(f"where symbol = '{symbol}' and {where}", ", ".join(COLUMNS))


class ByTime(engines.Parquet):
    def read(self):
        return self.scan().collect()

    def hour(self, symbol):
        import polars

        start, stop = np.array([HOUR_START_NS, HOUR_START_NS + HOUR_NS]).view("M8[ns]")
        wanted = (polars.col("symbol") == symbol) & polars.col("time").is_between(
            start, stop, closed="left"
        )
        frame = self.scan().filter(wanted).select(COLUMNS).collect()
        return {name: frame[name].to_numpy() for name in COLUMNS}


class BySymbol(ByTime):
    """Sorted by symbol and time before they are written, which packs better."""

    name = "Polars, by symbol"

    def prepare(self):
        self.sorted = self.given.polars.sort("symbol", "time")

    def write(self):
        self.sorted.write_parquet(self.file, compression="zstd")
        engines.sync(self.file)
        self.sorted = None


class ArcticSymbols(engines.Arctic):
    """A frame for each of some symbols, the one that is read among them: one write costs several
    syncs, which a thousand would spend a minute on."""

    name = "ArcticDB, a frame each"

    def write(self):
        frame = self.given.frame
        for symbol in [self.given.symbol, *data.symbol_names()[:20]]:
            self.library.write(symbol, frame.loc[frame["symbol"] == symbol, COLUMNS[1:]])

    def hour(self, symbol):
        import pandas

        start, stop = HOUR_START_NS, HOUR_START_NS + HOUR_NS - 1
        span = (pandas.Timestamp(start), pandas.Timestamp(stop))
        return self.library.read(symbol, date_range=span).data


class SymbolRecords(engines.Store):
    """A file of packed records for each symbol and day, mapped by NumPy and searched by time."""

    name = "record files a day"

    def write(self):
        times = self.given.column("time").view(np.int64)
        codes = np.asarray(self.given.codes)
        records = np.empty(len(times), [(name, self.given.column(name).dtype) for name in COLUMNS])
        for name in COLUMNS:
            records[name] = self.given.column(name)
        place = codes.astype(np.int64) * 100_000 + times // data.DAY_NS
        order = np.argsort(place, kind="stable")
        cuts = [*np.flatnonzero(np.diff(place[order], prepend=-1)), len(order)]
        names = data.symbol_names()
        for first, end in zip(cuts, cuts[1:]):
            code, day = divmod(int(place[order[first]]), 100_000)
            records[order[first:end]].tofile(self.path / f"{names[code]}-{day}.bin")
        self.dtype = records.dtype

    def hour(self, symbol):
        day = HOUR_START_NS // data.DAY_NS
        records = np.memmap(self.path / f"{symbol}-{day}.bin", self.dtype, "r")
        times = records["time"].view(np.int64)
        first, end = np.searchsorted(times, [HOUR_START_NS, HOUR_START_NS + HOUR_NS])
        return {name: records[name][first:end].copy() for name in COLUMNS}


STORES = [
    Otolith, OtolithOneThread, OtolithSmall, engines.Arctic, ArcticSymbols, Duckdb, ByTime,
    BySymbol, SymbolRecords,
]  # fmt: skip


def given_quotes(rows):
    """The rows as an Arrow table, symbols as text."""
    columns = data.quotes(rows)
    codes = columns["symbol"]
    texts = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(data.symbol_names()))
    columns["symbol"] = texts.cast(pa.large_string())
    given = engines.Given(pa.table(columns))
    given.codes = codes
    given.symbol = symbol_of(given)
    return given


def symbol_of(given):
    """The symbol with about HOUR_ROWS rows in the hour."""
    times = given.column("time").view(np.int64)
    first, end = np.searchsorted(times, [HOUR_START_NS, HOUR_START_NS + HOUR_NS])
    rows = np.bincount(given.codes[first:end], minlength=data.QUOTES_SYMBOLS)
    return data.symbol_names()[int(np.abs(rows - HOUR_ROWS).argmin())]


def load(figures, stores):
    """Once each: it is no goal, and takes long."""
    for store in stores:
        store.fresh()
        begin = time.perf_counter()
        store.write()
        taken = time.perf_counter() - begin
        store.settled()
        if not isinstance(store, ArcticSymbols):  # it has not all of the rows
            operation = "1 load, once, durable but for the record files"
            figures.value("1", operation, store.name, taken, "s")
            size = store.bytes_of_data()
            figures.value("21", "21 bytes of data on disk", store.name, size, "bytes")
            size = store.bytes_on_disk()
            figures.value("21 all", "21 all files, empty log included", store.name, size, "bytes")
        store.close()
        store.open()


def whole(figures, stores):
    arrays = [stores[0].given.column(name) for name in COLUMNS]
    text = np.zeros(12 * len(arrays[0]), np.uint8)
    probe = probes.fresh_copy([*arrays, text])
    ours = [store for store in stores if isinstance(store, (Otolith, Duckdb))]
    readers = [s for s in stores if not isinstance(s, (ArcticSymbols, SymbolRecords, BySymbol))]
    sides = [Side(store.name, store.read) for store in readers]
    figures.turns("5b", "5b read all in time order", [*sides, probe], summary)
    for store in ours:
        store.order = "stored" if isinstance(store, Otolith) else ""
    figures.turns("5b stored", "5b read all in stored order", [*sides, probe], sums)


def symbol_hour(figures, stores):
    symbol = stores[0].given.symbol
    sides = [
        Side(store.name, lambda store=store: store.hour(symbol))
        for store in stores
        if hasattr(store, "hour")
    ]
    words = ["symbol", symbol, *COLUMNS]
    question = Question("rows", stores[0], words, HOUR_REPEATS, (HOUR_START_NS, HOUR_END_NS))
    sides.append(question.side())
    figures.turns("12", "12 one symbol-hour into arrays", sides, summary,
                  repeat=HOUR_REPEATS, collect=False)  # fmt: skip
    figures.say("12 first", "12 the same, first time after opening", NAME, sorted(question.first),
                "s", "")  # fmt: skip


def main():
    folder = pathlib.Path(sys.argv[2]) / "quotes"
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else data.QUOTES_ROWS
    folder.mkdir(parents=True)
    figures = Figures("quotes")
    given = given_quotes(rows)
    stores = [kind(folder, given) for kind in STORES if not kind.missing()]
    for kind in STORES:
        if missing := kind.missing():
            figures.absent("12", "12 one symbol-hour into arrays", kind.name, missing)
    size = f"{rows:,} rows x 5 columns, {data.QUOTES_SYMBOLS:,} symbols"
    figures.versions(engines.versions(STORES), size)
    load(figures, stores)
    symbol_hour(figures, stores)
    whole(figures, stores)
    for store in stores:
        store.clear()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
