"""events: a million nested events, loaded from JSON lines, filtered on nested paths.

    python bench/peers/events_bench.py all FOLDER [SHARE]

Each side loads the same file durably, keeps whole documents, and brings those that a filter on
three paths finds, as dicts. Otolith puts them into a collection, by its command line; DuckDB reads
them into STRUCTs, and into JSON text; Polars keeps a frame in memory for queries and writes
Parquet (zstd) for the load. `SHARE` (1) scales the number of events down.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import random
import shutil
import sys

import otolith as oto
from otolith import command_line
from turns import Figures, Side

EVENTS = 1_000_000
KINDS = ("view",) * 12 + ("click",) * 5 + ("cart",) * 2 + ("purchase",)
COUNTRIES = ("US", "DE", "FR", "GB", "BR", "IN", "JP", "NO", "KE", "PE")
PATHS = ("/", "/search", "/products", "/products/shoes", "/cart", "/help", "/account")
SYSTEMS = ("ios", "android", "windows", "macos", "linux")
WHERE = "type = 'purchase' and user.country = 'NO' and amount > 50"


def event(number, rng):
    """Some 233 bytes of JSON, as a shop's pages send them."""
    return {
        "_id": f"{number:012}",
        "at": 1_767_225_600_000 + number * 2_678 + rng.randrange(2_678),  # ms, through January
        "type": rng.choice(KINDS),
        "user": {"id": rng.randrange(200_000), "country": rng.choice(COUNTRIES)},
        "page": {"path": rng.choice(PATHS), "ms": rng.randrange(2000)},
        "device": {"os": rng.choice(SYSTEMS), "mobile": rng.random() < 0.6},
        "amount": round(rng.random() * 100, 2),
        "session": f"{rng.getrandbits(48):012x}",
        "tags": rng.sample(("new", "sale", "gift", "app"), 2),
    }


def write_events(path, count):
    """The file, and bytes a line."""
    rng = random.Random(16)
    with open(path, "w", encoding="utf-8") as out:
        for number in range(count):
            out.write(json.dumps(event(number, rng), separators=(",", ":")) + "\n")
    return path.stat().st_size / count


def disk_bytes(path):
    """Of a file, or of all in a folder."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(path.name + "*")
    return sum(file.stat().st_size for file in files if file.is_file())


class Otolith:
    def __init__(self, folder, codec="hot"):
        self.path = folder / f"{codec}.oto"
        self.codec = codec
        self.events = None

    def fresh(self):
        self.events = None
        shutil.rmtree(self.path, ignore_errors=True)
        with oto.open(self.path) as db:  # the command line imports into a collection that is there
            db.collection("events", codec=self.codec).put(event(0, random.Random(16)))

    def load(self, file):
        with contextlib.redirect_stdout(io.StringIO()):
            code = command_line.main(["import", str(self.path), "events", str(file), "--quiet"])
        assert code == 0

    def find(self):
        if self.events is None:
            self.events = oto.open(self.path, create=False).collection("events")
        return list(self.events.find(where=WHERE))

    def disk(self):
        return disk_bytes(self.path / "segments")


class Duckdb:
    """Documents as STRUCTs, or as JSON text."""

    ASK = {
        "STRUCT": "select * from e where type = 'purchase' and user.country = 'NO' and amount > 50",
        "JSON": "select body from e where body->>'$.type' = 'purchase' and "
        "body->>'$.user.country' = 'NO' and (body->'$.amount')::double > 50",
    }

    def __init__(self, folder, form):
        import duckdb

        self.duckdb, self.form = duckdb, form
        self.path = folder / f"{form}.duckdb"
        self.db = None

    def fresh(self):
        if self.db is not None:
            self.db.close()
        self.db = None
        for file in self.path.parent.glob(self.path.name + "*"):
            file.unlink()

    def load(self, file):
        self.db = self.duckdb.connect(str(self.path))
        if self.form == "STRUCT":
            made = f"select * from read_json('{file}', format='newline_delimited')"
        else:
            made = f"select json as body from read_ndjson_objects('{file}')"
        self.db.execute(f"create table e as {made}")
        self.db.execute("checkpoint")

    def find(self):
        answer = self.db.execute(self.ASK[self.form])
        if self.form == "JSON":
            return [json.loads(body) for (body,) in answer.fetchall()]
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row)) for row in answer.fetchall()]

    def disk(self):
        return disk_bytes(self.path)


class Polars:
    def __init__(self, folder):
        import polars

        self.polars = polars
        self.path = folder / "events.parquet"
        self.frame = None

    def fresh(self):
        self.frame = None
        self.path.unlink(missing_ok=True)

    def load(self, file):
        self.frame = self.polars.read_ndjson(file)
        self.frame.write_parquet(self.path, compression="zstd")
        with open(self.path, "rb") as written:
            os.fsync(written.fileno())

    def find(self):
        col = self.polars.col
        country = col("user").struct.field("country")
        wanted = (col("type") == "purchase") & (country == "NO") & (col("amount") > 50)
        return self.frame.lazy().filter(wanted).collect().to_dicts()

    def disk(self):
        return disk_bytes(self.path)


def answer_of(found):
    """How many, and which."""
    ids = sorted(one["_id"] for one in found)
    return {
        "documents": len(ids),
        "ids": hash(tuple(ids)),
        "amount": sum(x["amount"] for x in found),
    }


def main():
    folder = pathlib.Path(sys.argv[2]) / "events"
    share = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures = Figures("events")
    file = folder / "events.ndjson"
    count = max(10_000, int(EVENTS * share))
    mean = write_events(file, count)
    stores = {"otolith": Otolith(folder), "otolith small": Otolith(folder, "small")}
    made = (
        ("DuckDB STRUCT", lambda: Duckdb(folder, "STRUCT")),
        ("DuckDB JSON", lambda: Duckdb(folder, "JSON")),
        ("Polars", lambda: Polars(folder)),
    )
    packages = []
    for name, make in made:
        try:
            stores[name] = make()
        except ImportError as missing:
            figures.absent("16 load", "16 load", name, str(missing))
    for name in ("duckdb", "polars"):
        if name in sys.modules:
            packages.append(f"{name} {sys.modules[name].__version__}")
    figures.versions(", ".join(packages), f"{count:,} events of {mean:.0f} bytes")
    loads = [
        Side(name, lambda store=store: store.load(file), before=store.fresh)
        for name, store in stores.items()
    ]
    figures.turns("16 load", "16 JSON lines loaded durably", loads, rounds=3, collect=False)
    finds = [Side(name, store.find) for name, store in stores.items()]
    for side in finds:
        side.run()
    figures.turns("16", "16 documents of a filter on three paths", finds, answer_of, rounds=15)
    for name, store in stores.items():
        told = "Parquet zstd" if name == "Polars" else name
        figures.value("16 disk", "16 disk", told, store.disk(), "bytes")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
