"""What the command line leaves to Python: Parquet and Arrow files, and pictures.

The C++ command line parses the words and hands over a request in JSON: the verb, its operands and
its options by name. pyarrow and matplotlib are needed here only, and named where they are missing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from typing import Any, Dict, List, Optional

import otolith as oto

_Request = Dict[str, Any]


def run(text: str) -> int:
    """Carries out a request and returns its exit code.

    >>> run('{"verb": "import", "format": "parquet", "DB": ["x.oto"], "DATASET": ["t"], '
    ...     '"FILE": ["no/such.parquet"], "--type": [], "--names": [], "--header": false}')
    3
    """
    request = json.loads(text)
    try:
        return _VERBS[request["verb"]](request)
    except oto.Error as error:
        return _failed(request, error.code, str(error))
    except ImportError as error:
        return _failed(request, "not_found", str(error))
    except OSError as error:
        return _failed(request, "io", str(error))
    except ValueError as error:  # pyarrow's own errors are of this kind
        return _failed(request, "invalid_argument", str(error))


def _failed(request: _Request, code: str, what: str) -> int:
    if request.get("--json"):
        error = {"code": code, "message": what, "file": None, "offset": None}
        print(json.dumps({"error": error}))
    print(f"otolith {request['verb']}: {code}: {what}", file=sys.stderr)
    return 3


def _needed(module: str, request: _Request) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0]
        raise ImportError(
            f"{request['format']} needs {package}, which is not installed here: pip install "
            f"{package}"
        ) from None


def _one(request: _Request, option: str) -> Optional[str]:
    values: List[str] = request.get(option) or []
    return values[0] if values else None


# ---- import --------------------------------------------------------------------------------------


def _import(request: _Request) -> int:
    for option in ("--type", "--names", "--separator", "--null", "--dates", "--on-error"):
        if request.get(option):
            raise oto.InvalidArgument(f"{option} is of text files; {request['format']} has types")
    tables = [_read(path, request) for path in _paths(request["FILE"])]
    first = tables[0].schema
    for path, table in zip(request["FILE"], tables):
        if table.schema.names != first.names:
            raise oto.InvalidArgument(f"{path} has other columns than {request['FILE'][0]}")
    database, name = request["DB"][0], request["DATASET"][0]
    time = _one(request, "--time") or _time_of(first)
    made = not os.path.isdir(database) or not os.listdir(database)
    with oto.open(database) as db:
        if name not in db:
            partition = _one(request, "--partition") or _partition(tables, time)
            db.create_table(
                name, {field.name: field.type for field in first}, time=time,
                keys=request.get("--key") or [],
                partition=None if partition == "none" else partition,
                duplicates=_one(request, "--duplicates") or "keep",
                codec=_one(request, "--codec") or "hot",
                author=_one(request, "--author"), message=f"table {name}",
            )  # fmt: skip
            made = True
        try:
            with db.recorder(
                author=_one(request, "--author"), message=_one(request, "--message")
            ) as recorder:
                for table in tables:
                    recorder[name].append(table)
        except oto.Error:
            if made and len(db[name]) == 0:
                db.drop(name, message="import failed")
            raise
        rows, commit = sum(len(table) for table in tables), recorder.result
        assert commit is not None  # the recorder has ended
    if request.get("--json"):
        print(json.dumps({"rows": rows, "commit": commit.number, "hash": commit.hash}))
    else:
        print(f"{name}: {rows} row{'' if rows == 1 else 's'} in commit {commit.number}")
    return 0


def _paths(words: List[str]) -> List[str]:
    import glob

    found: List[str] = []
    for word in words:
        matching = [word] if os.path.exists(word) else sorted(glob.glob(word))
        if not matching:
            raise oto.NotFound(f"there is no file {word}")
        found += matching
    return found


def _read(path: str, request: _Request) -> Any:
    columns = _one(request, "--columns")
    names = columns.split(",") if columns else None
    if request["format"] == "parquet":
        return _needed("pyarrow.parquet", request).read_table(path, columns=names)
    ipc = _needed("pyarrow.ipc", request)
    pa = _needed("pyarrow", request)
    with pa.memory_map(path) as source:
        try:
            table = ipc.open_file(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            table = ipc.open_stream(source).read_all()
    return table.select(names) if names else table


def _time_of(schema: Any) -> str:
    times: List[str] = [
        field.name for field in schema if str(field.type).startswith(("timestamp", "date"))
    ]
    for name in ("time", "timestamp", "datetime", "ts", "date"):
        if name in times:
            return name
    if len(times) == 1:
        return times[0]
    what = f"several columns hold times: {', '.join(times)}" if times else "no column holds times"
    raise oto.InvalidArgument(f"{what}; say which: --time C")


def _partition(tables: List[Any], time: str) -> str:
    """As partition_for of src/cli/import_plan.cc."""
    import pyarrow.compute

    edges = [pyarrow.compute.min_max(table[time]).as_py() for table in tables if len(table)]
    if not edges:
        return "day"
    span: Any = max(edge["max"] for edge in edges) - min(edge["min"] for edge in edges)
    days: float = max(span.total_seconds() / 86_400 if hasattr(span, "total_seconds") else 1, 1)
    of_a_day = sum(len(table) for table in tables) / days
    return "day" if of_a_day >= 10_000 else "month" if of_a_day * 30 >= 10_000 else "year"


# ---- export --------------------------------------------------------------------------------------


def _rows(request: _Request) -> Any:
    with oto.open(request["DB"][0], create=False, read_only=True) as db:
        table = db.at(_one(request, "--at") or "HEAD")[request["DATASET"][0]]
        keys: Dict[str, List[str]] = {}
        for word in request.get("--key") or []:
            name, _, value = word.partition("=")
            keys.setdefault(name, []).append(value)
        types = {column.name: column.dtype.name for column in table.schema}
        asked = {
            name: [int(v) for v in values] if "int" in types.get(name, "") else values
            for name, values in keys.items()
        }
        columns, limit = _one(request, "--columns"), _one(request, "--limit")
        where: Any = _one(request, "--where")
        return table.read(
            _one(request, "--from"), _one(request, "--to"), keys=asked or None,
            where=where,
            columns=columns.split(",") if columns else None,
            limit=int(limit) if limit else None, reverse=bool(request.get("--reverse")),
        )  # fmt: skip


def _export(request: _Request) -> int:
    path = request["FILE"][0]
    if path == "-":
        raise oto.InvalidArgument(f"{request['format']} is written to a file, not to a terminal")
    if os.path.exists(path) and not request.get("--force"):
        raise oto.Conflict(f"{path} is there already; --force replaces it")
    parquet = request["format"] == "parquet"
    module = _needed("pyarrow.parquet" if parquet else "pyarrow.ipc", request)
    table = _needed("pyarrow", request).table(_rows(request))

    def write(unfinished: str) -> None:
        if parquet:
            module.write_table(table, unfinished)
        else:
            with module.new_file(unfinished, table.schema) as writer:
                writer.write_table(table)

    _appear(path, write)
    rows = len(table)
    print(f"{path}: {rows} row{'' if rows == 1 else 's'}, {os.path.getsize(path)} bytes")
    return 0


def _appear(path: str, write: Any) -> None:
    """A file that appears whole, or not at all."""
    folder = os.path.dirname(path) or "."
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".otolith-", suffix=".part")
    os.close(handle)
    try:
        write(unfinished)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(unfinished, 0o666 & ~mask)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


# ---- plot ----------------------------------------------------------------------------------------


def _plot(request: _Request) -> int:
    path = _one(request, "--output") or "plot.png"
    _needed("matplotlib", request).use("Agg")
    pyplot = _needed("matplotlib.pyplot", request)
    columns = request["COLUMN"]
    with oto.open(request["DB"][0], create=False, read_only=True) as db:
        time = db[request["DATASET"][0]].schema.time
    data = _rows({**request, "--columns": [",".join([time, *columns])]})
    figure, axes = pyplot.subplots(figsize=(10, 4))
    for column in columns:
        axes.plot(data[time], data[column], label=column, linewidth=1)
    axes.legend()
    _appear(path, lambda unfinished: figure.savefig(unfinished, format="png"))
    print(f"{path}: {len(data)} rows")
    return 0


_VERBS = {"import": _import, "export": _export, "plot": _plot}
