"""The sides: Otolith and its peers, each keeping one table in a folder of its own.

A store is written fresh and durably from an Arrow table (`write`), opened (`open`), asked, closed.
`read` gives all columns; what only some workloads ask stands in their modules. Peers get their data
in the form they like best, made beforehand (`Given`), and the settings they come with.
"""

from __future__ import annotations

import gc
import importlib
import os
import pathlib
import shutil
from typing import Any, Dict, List, Optional

import numpy as np

import otolith as oto

DAY_NS = 86_400_000_000_000
TABLE = "rows"


class Given:
    """One table in every form that a side takes; each is made once, at its first use."""

    def __init__(self, table: Any, time: str = "time") -> None:
        self.arrow = table
        self.time = time
        self._frame = self._polars = None

    def column(self, name: str) -> np.ndarray:
        return self.arrow.column(name).to_numpy()

    @property
    def columns(self) -> Dict[str, np.ndarray]:
        return {name: self.column(name) for name in self.arrow.column_names}

    @property
    def frame(self) -> Any:
        """pandas, with the time as its index, as ArcticDB wants it."""
        if self._frame is None:
            self._frame = self.arrow.to_pandas().set_index(self.time)
        return self._frame

    @property
    def polars(self) -> Any:
        if self._polars is None:
            import polars

            self._polars = polars.from_arrow(self.arrow)
        return self._polars


class Store:
    """One side's store: `package` is what it imports, `distribution` what that is installed as."""

    name = ""
    package: Optional[str] = None
    distribution: Optional[str] = None

    def __init__(self, folder: pathlib.Path, given: Given) -> None:
        self.given = given
        self.path = folder / type(self).__name__.lower()

    @classmethod
    def missing(cls) -> str:
        """Why the side cannot take part; empty if it can."""
        if cls.package is None:
            return ""
        try:
            importlib.import_module(cls.package)
        except Exception as error:  # whatever a broken package raises
            return f"{cls.package} cannot be imported: {type(error).__name__}"
        return ""

    def clear(self) -> None:
        """Closes and removes what is there."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def fresh(self) -> None:
        """What stands before a write, untimed."""
        self.clear()
        self.path.mkdir(parents=True)
        self.prepare()

    def prepare(self) -> None:
        """Makes the input's form and the empty store."""

    def write(self) -> None:
        raise NotImplementedError

    def settled(self) -> None:
        """What the store would do by itself later, before its bytes are counted."""

    def open(self) -> None:
        """Opens what was written, as a program that starts would."""

    def close(self) -> None:
        """Lets go of all that open and write hold."""

    def read(self) -> Any:
        raise NotImplementedError

    def bytes_of_data(self) -> int:
        return self.bytes_on_disk()

    def bytes_on_disk(self) -> int:
        files = [p.stat() for p in self.path.rglob("*") if p.is_file() and "lock" not in p.name]
        return sum(min(file.st_size, file.st_blocks * 512) for file in files)


# ---- Otolith -------------------------------------------------------------------------------------


class Otolith(Store):
    name = "otolith"
    codec = "hot"
    threads: Optional[int] = None
    options: Dict[str, Any] = {}  # of create_table

    def __init__(self, folder: pathlib.Path, given: Given) -> None:
        super().__init__(folder, given)
        self.db = self.table = None

    def prepare(self) -> None:
        self.open()
        schema = {field.name: _type_name(field.type) for field in self.given.arrow.schema}
        self.table = self.db.create_table(
            TABLE, schema, time=self.given.time, codec=self.codec, **self.options
        )

    def write(self) -> None:
        self.table.append(self.given.arrow)

    def open(self) -> None:
        self.db = oto.open(self.path / "db.oto", threads=self.threads)
        if TABLE in self.db:
            self.table = self.db[TABLE]

    def close(self) -> None:
        if self.db is not None:
            self.db.close()
        self.db = self.table = None

    def read(self) -> Any:
        return self.table.read().to_numpy()

    def bytes_of_data(self) -> int:
        """Without the log: its two files of 4 MiB are there before a row is, and hold none here."""
        return self.db.status().segment_bytes


class OtolithOneThread(Otolith):
    name = "otolith, 1 thread"
    threads = 1


class OtolithRaw(Otolith):
    name = "otolith raw"
    codec = "raw"


class OtolithSmall(Otolith):
    name = "otolith small"
    codec = "small"


def _type_name(type_: Any) -> str:
    import pyarrow.types as types

    if types.is_timestamp(type_):
        return "timestamp"
    if types.is_dictionary(type_) or types.is_large_string(type_) or types.is_string(type_):
        return "string"
    return {"double": "float64", "float": "float32"}.get(str(type_), str(type_))


# ---- Peers ---------------------------------------------------------------------------------------


class Duckdb(Store):
    name = "DuckDB"
    package = "duckdb"
    config: Dict[str, Any] = {}

    def __init__(self, folder: pathlib.Path, given: Given) -> None:
        super().__init__(folder, given)
        self.db = None

    def prepare(self) -> None:
        self.open()
        self.db.register("given", self.given.arrow)

    def write(self) -> None:
        self.db.execute(f"create table {TABLE} as from given")

    def settled(self) -> None:
        self.db.execute("checkpoint")

    def open(self) -> None:
        import duckdb

        self.db = duckdb.connect(str(self.path / "rows.duckdb"), config=self.config)

    def close(self) -> None:
        if self.db is not None:
            self.db.close()
        self.db = None

    def ask(self, rest: str = "", columns: str = "*") -> Any:
        """Columns as NumPy arrays."""
        return self.db.execute(f"select {columns} from {TABLE} {rest}").fetchnumpy()

    def ask_arrow(self, rest: str = "", columns: str = "*") -> Any:
        return self.db.sql(f"select {columns} from {TABLE} {rest}").to_arrow_table()

    def read(self) -> Any:
        return self.ask()


class DuckdbOneThread(Duckdb):
    name = "DuckDB, 1 thread"
    config = {"threads": 1}


class Arctic(Store):
    name = "ArcticDB"
    package = "arcticdb"

    def __init__(self, folder: pathlib.Path, given: Given) -> None:
        super().__init__(folder, given)
        self.arctic = self.library = None

    def prepare(self) -> None:
        self.given.frame  # noqa: B018 (made here, untimed)
        self.open()

    def write(self) -> None:
        self.library.write(TABLE, self.given.frame)

    def open(self) -> None:
        import arcticdb

        self.arctic = arcticdb.Arctic(f"lmdb://{self.path}?map_size=8GB")
        self.library = self.arctic.get_library("bench", create_if_missing=True)

    def close(self) -> None:
        self.arctic = self.library = None
        gc.collect()  # LMDB stays open as long as anything refers to it

    def read(self) -> Any:
        return self.library.read(TABLE).data


class Parquet(Store):
    """Polars' own writer and reader of Parquet with zstd, its default."""

    name = "Polars, Parquet zstd"
    package = "polars"

    def prepare(self) -> None:
        self.given.polars  # noqa: B018 (made here, untimed)

    @property
    def file(self) -> pathlib.Path:
        return self.path / "rows.parquet"

    def write(self) -> None:
        self.given.polars.write_parquet(self.file, compression="zstd")
        sync(self.file)

    def open(self) -> None:
        self.scan().collect_schema()

    def scan(self) -> Any:
        import polars

        return polars.scan_parquet(self.file)

    def read(self) -> Any:
        frame = self.scan().collect()
        return {name: frame[name].to_numpy() for name in frame.columns}


class ArrowParquet(Parquet):
    name = "pyarrow, Parquet zstd"
    package = "pyarrow"

    def prepare(self) -> None:
        """Arrow is what was given."""

    def write(self) -> None:
        import pyarrow.parquet

        pyarrow.parquet.write_table(self.given.arrow, self.file, compression="zstd")
        sync(self.file)

    def open(self) -> None:
        import pyarrow.parquet

        pyarrow.parquet.read_metadata(self.file)

    def read(self) -> Any:
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(self.file)
        return {name: table.column(name).to_numpy() for name in table.column_names}


class PlainColumns(Store):
    """A file of plain values for each column: the least that any store can write."""

    name = "plain columns"

    def write(self) -> None:
        for name, values in self.given.columns.items():
            values.tofile(self.path / name)
            sync(self.path / name)

    def open(self) -> None:
        self.maps = {
            name: np.memmap(self.path / name, values.dtype, "r")
            for name, values in self.given.columns.items()
        }

    def close(self) -> None:
        self.maps = {}

    def read(self) -> Any:
        return {name: np.array(values) for name, values in self.maps.items()}


class DayRecords(Store):
    """A file of packed records for each day, mapped by NumPy: stands in for chronostore, whose
    package cannot be imported."""

    name = "record files a day"

    def write(self) -> None:
        columns = self.given.columns
        dtype = np.dtype([(name, values.dtype) for name, values in columns.items()])
        days = columns[self.given.time].view(np.int64) // DAY_NS
        cuts = [*np.flatnonzero(np.diff(days, prepend=days[0] - 1)), len(days)]
        for first, end in zip(cuts, cuts[1:]):
            records = np.empty(end - first, dtype)
            for name, values in columns.items():
                records[name] = values[first:end]
            path = self.path / f"{days[first]}.bin"
            records.tofile(path)
            sync(path)
        np.save(self.path / "dtype.npy", np.empty(0, dtype))

    def open(self) -> None:
        dtype = np.load(self.path / "dtype.npy").dtype
        files = sorted(self.path.glob("*.bin"))
        self.days = {int(file.stem): np.memmap(file, dtype, "r") for file in files}

    def close(self) -> None:
        self.days = {}

    def read(self) -> Any:
        names = next(iter(self.days.values())).dtype.names
        return {name: np.concatenate([day[name] for day in self.days.values()]) for name in names}


def sync(path: pathlib.Path) -> None:
    """Waits until a file is on the disk."""
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def versions(stores: List[type]) -> str:
    """The packages of some sides with their versions."""
    import importlib.metadata

    installed = [s.distribution or s.package for s in stores if s.package]
    names = dict.fromkeys(["otolith", "numpy", *installed])
    said = []
    for name in names:
        try:
            said.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            said.append(f"{name} (not installed)")
    return ", ".join(said)
